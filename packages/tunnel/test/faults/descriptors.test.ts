// Processes that have no descriptors left: what they cannot take is refused, what they have goes on, and when there are some again all is as before.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, listen } from '../support/http.ts';
import { finished, measure } from '../support/programs.ts';
import { startAgent, startLoggedGateway } from './scene.ts';

/** More than the loader opens at a time of the sources of a gateway, which include those of the fleet: with 80 it did not start now and then. */
const FEW = 160;

/** Clients that connect and say nothing. What becomes of them does not matter. */
function connectMany(port: number, count: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ port, host: '127.0.0.1' });
      onTestFinished(() => void socket.destroy());
      socket.on('error', () => {}).resume();
      await once(socket, 'connect');
      return socket;
    }),
  );
}

describe.skipIf(process.platform === 'win32')('without descriptors', () => {
  it('a gateway keeps its agents and what runs, and takes clients again when some have left', async () => {
    const scene = await startLoggedGateway([], { descriptors: FEW });
    let held: ServerResponse | undefined;
    const origin = await listen((request, response) => {
      if (request.url === '/held') held = response;
      else response.end('served');
    });
    await startAgent([scene], origin);
    const running = scene.gateway.ask({ path: '/held' });
    while (held === undefined) await scene.gateway.ask();
    const clients = [
      ...(await connectMany(scene.gateway.port, FEW)),
      ...(await connectMany(scene.gateway.adminPort, FEW)),
    ];
    await measure(scene.gateway.child);
    held.end('through');
    expect((await running).body).toBe('through');
    for (const client of clients) client.destroy();
    const served = async (): Promise<string> => (await scene.gateway.ask().catch(() => undefined))?.body ?? '';
    while ((await served()) !== 'served');
    while (
      (await ask({ port: scene.gateway.adminPort, host: 'localhost', path: '/healthz' }).catch(() => undefined))
        ?.status !== 200
    );
    expect(scene.logged.of('unforeseen error')).toEqual([]);
    expect(scene.logged.of('agent gone')).toEqual([]);
    expect(scene.logged.lines.length).toBeLessThan(1_000);
    const end = finished(scene.gateway.child);
    scene.gateway.child.send({ type: 'stop' });
    expect(await end).toMatchObject({ code: 0, err: '' });
  });

  it('an agent answers 502 for what it cannot connect, serves what it has, and serves all again when there are some', async () => {
    const scene = await startLoggedGateway();
    const held: ServerResponse[] = [];
    let isHolding = true;
    const origin = await listen((request, response) => {
      if (request.url === '/held' && isHolding) held.push(response);
      else response.end('served');
    });
    const agent = await startAgent([scene], origin, 'alpha', { descriptors: FEW });
    const running = Array.from({ length: FEW }, () => scene.gateway.ask({ path: '/held' }));
    const first = await Promise.race(running);
    expect([first.status, JSON.parse(first.body)]).toMatchObject([502, { error: { code: 'EMFILE' } }]);
    await measure(agent);
    isHolding = false;
    for (const response of held) response.end('served');
    const statuses = (await Promise.all(running)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200, 502]));
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(held.length);
    expect(await scene.gateway.ask()).toMatchObject({ status: 200, body: 'served' });
    expect(scene.logged.of('agent gone')).toEqual([]);
  });
});
