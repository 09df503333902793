// What an idle session costs a gateway: `pnpm idle-sessions`. A second process dials 1,000 of them over real WebSockets; each has had a round
// trip, and its first pings are over, when the gateway collects its garbage and counts.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { YamuxSession } from '@zishuo/yamux';
import { acceptUpgrades, dial } from '../../src/index.ts';

const SESSIONS = 1_000;

if (process.send === undefined) await gateway();
else await agents(Number(process.argv[2]));

async function gateway(): Promise<void> {
  const http = createServer();
  const sessions: YamuxSession[] = [];
  acceptUpgrades(http, { path: '/', authenticate: () => true, onSession: (session) => sessions.push(session) });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  // What the first one loads stays.
  await connectAll(http.address() as AddressInfo, 1);
  const before = await used();
  const child = await connectAll(http.address() as AddressInfo, SESSIONS);
  while (sessions.length < SESSIONS + 1) await sleep(10);
  await Promise.all(sessions.map((session) => session.ping()));
  await sleep(2_000);
  const after = await used();
  const each = (what: keyof Used): string => `${((after[what] - before[what]) / SESSIONS / 1024).toFixed(1)} KiB`;
  console.log(`${SESSIONS} idle sessions, each: ${each('js')} of JavaScript, buffers included; ${each('rss')} of RSS`);
  child.kill();
  process.exit();
}

async function connectAll({ port }: AddressInfo, count: number): Promise<ReturnType<typeof fork>> {
  const child = fork(import.meta.filename, [String(port), String(count)], { execArgv: process.execArgv });
  await once(child, 'message');
  return child;
}

async function agents(port: number): Promise<void> {
  for (let session = 0; session < Number(process.argv[3]); session += 1) {
    (await dial(`ws://127.0.0.1:${port}/`)).on('error', () => {});
  }
  process.send?.('connected');
}

interface Used {
  readonly js: number;
  readonly rss: number;
}

async function used(): Promise<Used> {
  for (let round = 0; round < 5; round += 1) {
    globalThis.gc?.();
    await sleep(50);
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { js: heapUsed + external, rss };
}
