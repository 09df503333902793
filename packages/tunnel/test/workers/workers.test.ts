// Several gateways on one machine, as processes: they share a port, serve the agents of each other, and one that dies is started again.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ask, listen } from '../support/http.ts';
import { finished, Logged, ready, start } from '../support/programs.ts';
import { SECRET, tokenFor } from '../support/tunnel.ts';

const env = { TUNNEL_SECRET: SECRET };
const flags = ['--workers', '2', '--port', '0', '--admin-port', '0', '--agent-wait', '20000'];

describe('a gateway of two workers', () => {
  it('serves an agent of one by both, also while one is killed and comes back, and ends as asked', async () => {
    const gateway = start('gateway', flags, { env });
    const log = new Logged(gateway);
    const ended = once(gateway, 'exit');
    const { url, admin } = await ready(gateway);
    expect(admin).toMatch(/^http/);
    const port = Number(new URL(url).port);
    const pids = [(await log.next('worker started')).pid, (await log.next('worker started')).pid] as number[];
    const origin = await listen((_request, response) => response.end('here'));
    const agent = start(
      'agent',
      ['--gateway', `ws://127.0.0.1:${port}/connect`, '--target', `http://127.0.0.1:${origin}`],
      {
        env: { TUNNEL_TOKEN: tokenFor('alpha') },
      },
    );
    await ready(agent);
    await log.next('agent connected');
    const asked = async (): Promise<readonly string[]> => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ port })));
      return [...new Set(answers.map(({ status, body }) => `${status} ${body}`))];
    };
    expect(await asked()).toEqual(['200 here']);
    await expect.poll(() => log.of('served').length).toBe(20);
    expect(log.of('served').some(({ via }) => via === 'worker-1' || via === 'worker-2')).toBe(true);
    process.kill(pids[0] as number, 'SIGKILL');
    expect(await log.next('worker ended')).toMatchObject({ signal: 'SIGKILL' });
    expect(await asked()).toEqual(['200 here']);
    await log.next('gateway listening');
    expect(await asked()).toEqual(['200 here']);
    gateway.kill('SIGTERM');
    expect((await ended)[0]).toBe(0);
    expect(log.of('gateway closed')).toHaveLength(2);
  });

  it('says in one line what keeps it from listening, and ends', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { code, err } = await finished(
      start('gateway', ['--workers', '2', '--port', String(port), '--admin-port', '0'], { env }),
    );
    taken.close();
    expect([code, err]).toEqual([1, expect.stringContaining(`127.0.0.1:${port} is in use`)]);
    expect(err).not.toContain('    at ');
  });
});
