// Measures the memory of an idle session at a gateway: `pnpm idle-sessions`. A second process dials 1,000 sessions over real WebSockets. After a
// round trip both ways on each, the gateway collects garbage and measures its memory.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { YamuxSession } from '@zishuo/yamux';
import { collectGarbage } from '../../../yamux/test/support/collect-garbage.ts';
import { acceptUpgrades, dial } from '../../src/index.ts';

const SESSIONS = 1_000;

const [url, count] = process.argv.slice(2);
if (url === undefined) await gateway();
else await agents(url, Number(count));

async function gateway(): Promise<void> {
  const http = createServer();
  const sessions: YamuxSession[] = [];
  acceptUpgrades(http, { path: '/', authenticate: () => true, onSession: (session) => sessions.push(session) });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  const idleAgents = async (dialing: number): Promise<ChildProcess> => {
    const child = fork(import.meta.filename, [`ws://127.0.0.1:${port}/`, String(dialing)]);
    await once(child, 'message');
    await Promise.all(sessions.map((session) => session.ping()));
    return child;
  };
  const children = [await idleAgents(1)]; // loads the code before the first measurement
  const before = await used();
  children.push(await idleAgents(SESSIONS));
  const after = await used();
  const each = (what: keyof Used): string => `${((after[what] - before[what]) / SESSIONS / 1024).toFixed(1)} KiB`;
  console.log(
    `${sessions.length - 1} idle sessions, each: ${each('js')} of JavaScript, buffers included; ${each('rss')} of RSS`,
  );
  for (const child of children) child.kill();
  process.exit();
}

async function agents(to: string, dialing: number): Promise<void> {
  process.once('disconnect', () => process.exit());
  const sessions: YamuxSession[] = [];
  while (sessions.length < dialing) {
    const session = await dial(to);
    session.on('error', () => {});
    sessions.push(session);
  }
  await Promise.all(sessions.map((session) => session.ping()));
  process.send?.('idle');
}

interface Used {
  readonly js: number;
  readonly rss: number;
}

/** The least of several measurements: garbage only adds, and the memory of a Buffer is freed later than the Buffer. */
async function used(): Promise<Used> {
  let least = { js: Number.POSITIVE_INFINITY, rss: Number.POSITIVE_INFINITY };
  for (let rounds = 0; rounds < 5; rounds += 1) {
    collectGarbage();
    await turn();
    const { heapUsed, external, rss } = process.memoryUsage();
    least = { js: Math.min(least.js, heapUsed + external), rss: Math.min(least.rss, rss) };
  }
  return least;
}
