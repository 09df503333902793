// A GiB up and a GiB down at the same time, through a gateway and an agent that are processes of their own, while another client of the
// same session takes nothing. What both need in memory is printed.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { pipeline } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { bodyStream, chunks, digestOf } from '../../src/demo/body.ts';
import { Child } from '../../src/demo/child.ts';
import { askForHead, listen } from '../support/http.ts';
import { HOST, SECRET, tokenFor } from '../support/tunnel.ts';

const MIB = 1024 * 1024;
const SIZE = 1024 * MIB;
/** Far below a body; above what windows, sockets and the collector's leisure come to. */
const BOUND = 200 * MIB;

async function start(
  program: 'gateway' | 'agent',
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ child: Child; url: string }> {
  const NODE_OPTIONS = '--import tsx --conditions=@zishuo/source';
  const started = await Child.start({ program, args, env: { NODE_OPTIONS, ...env }, logs: false });
  onTestFinished(() => started.child.kill());
  return started;
}

it('a GiB up and a GiB down, beside a client that takes nothing, need a bounded amount of memory', async () => {
  const sent = createHash('sha256');
  for (const chunk of chunks(1, SIZE)) sent.update(chunk);
  const sha256 = sent.digest('hex');
  const origin = await listen((request, response) => {
    if (request.method === 'PUT') void digestOf(request).then((digest) => response.end(JSON.stringify(digest)));
    else pipeline(bodyStream(1, SIZE), response, () => {}); // one client goes without having read it
  });
  const gateway = await start('gateway', ['--port', '0', '--admin-port', 'none'], { TUNNEL_SECRET: SECRET });
  const agentArgs = [
    '--gateway',
    `${gateway.url.replace('http', 'ws')}/connect`,
    '--target',
    `http://127.0.0.1:${origin}`,
  ];
  const agent = await start('agent', agentArgs, { TUNNEL_TOKEN: tokenFor('alpha', [HOST]) });
  const port = Number(new URL(gateway.url).port);
  const measure = async (): Promise<number[]> =>
    Promise.all([gateway, agent].map(({ child }) => child.command({ type: 'measure' })));
  const before = await measure();

  const stalled = await askForHead({ port });
  stalled.on('error', () => {}); // a slow machine may come to the idle timeout
  await once(stalled, 'readable'); // and it reads no further
  const [down, up] = await Promise.all([
    askForHead({ port }).then(digestOf),
    askForHead({ port, method: 'PUT', body: bodyStream(1, SIZE) }).then(async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      return JSON.parse(text) as unknown;
    }),
  ]);
  expect([down, up]).toEqual([
    { bytes: SIZE, sha256 },
    { bytes: SIZE, sha256 },
  ]);
  const grown = (await measure()).map((peak, index) => peak - (before[index] ?? 0));
  console.log(
    `1 GiB up and down: the gateway grew by ${Math.round((grown[0] ?? 0) / MIB)} MiB, the agent by ${Math.round((grown[1] ?? 0) / MIB)} MiB`,
  );
  expect(Math.max(...grown)).toBeLessThan(BOUND);
  stalled.destroy();
}, 120_000);
