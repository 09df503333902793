// A proxy that cuts connections that were idle for 60 s, as nginx and most load balancers do. The proxy and both sessions share one manual
// clock.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock, SessionOptions, YamuxSession } from '@zishuo/yamux';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../../yamux/test/support/manual-clock.ts';
import { dial } from '../src/dial.ts';
import { acceptUpgrades } from '../src/upgrade.ts';
import { closeServers, httpServer } from './support/http-server.ts';

const IDLE = 60_000;

class CuttingProxy {
  readonly server: Server;
  readonly #clock: Clock;
  readonly #sockets: Socket[] = [];
  #timer: unknown;

  constructor(clock: Clock, target: number) {
    this.#clock = clock;
    this.server = createServer((near) => {
      const far = connect(target, '127.0.0.1');
      this.#sockets.push(near, far);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('error', () => {});
        from.on('data', (chunk) => {
          this.#restart();
          to.write(chunk);
        });
        from.on('close', () => to.destroy());
      }
      this.#restart();
    });
  }

  cut(): void {
    this.#clock.clearTimeout(this.#timer);
    for (const socket of this.#sockets) socket.destroy();
  }

  #restart(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.cut(), IDLE);
  }
}

const proxies: CuttingProxy[] = [];

afterEach(async () => {
  for (const proxy of proxies.splice(0)) {
    proxy.cut();
    proxy.server.close();
  }
  await closeServers();
});

async function behindProxy(clock: ManualClock, yamux: SessionOptions) {
  const http = await httpServer();
  const accepted = new Promise<YamuxSession>((resolve) => {
    acceptUpgrades(http.server, {
      path: '/connect',
      authenticate: () => true,
      onSession: (session) => {
        session.on('error', () => {});
        resolve(session);
      },
      yamux: { clock, ...yamux },
    });
  });
  const proxy = new CuttingProxy(clock, http.port);
  proxies.push(proxy);
  proxy.server.listen(0, '127.0.0.1');
  await once(proxy.server, 'listening');
  const { port } = proxy.server.address() as AddressInfo;
  const agent = await dial(`ws://127.0.0.1:${port}/connect`, { yamux: { clock, ...yamux } });
  agent.on('error', () => {});
  return { agent, gateway: await accepted, proxy };
}

/** Resolves when all bytes that either end sent have reached the other. */
async function quiet(one: YamuxSession, other: YamuxSession): Promise<void> {
  const still = (from: YamuxSession, to: YamuxSession): boolean =>
    from.stats().queuedBytes === 0 && from.stats().framesSent === to.stats().framesReceived;
  for (let checks = 0; checks < 2; checks += 1) {
    do await new Promise((resolve) => setImmediate(resolve));
    while (one.state === 'open' && other.state === 'open' && !(still(one, other) && still(other, one)));
  }
}

describe('an agent behind a proxy that cuts idle connections at 60 s', () => {
  it('stays connected for an hour of silence', async () => {
    const clock = new ManualClock();
    const { agent, gateway } = await behindProxy(clock, {});
    for (let second = 0; second < 3_600; second += 5) {
      clock.advance(5_000);
      await quiet(agent, gateway);
    }
    expect([agent.state, gateway.state]).toEqual(['open', 'open']);
    expect(await agent.ping()).toBeGreaterThanOrEqual(0);
    agent.destroy();
    gateway.destroy();
  });

  it('is cut off if neither side pings', async () => {
    const clock = new ManualClock();
    const { agent, gateway } = await behindProxy(clock, { keepAliveInterval: 0 });
    const closed = [agent, gateway].map((session) => new Promise<void>((resolve) => session.once('close', resolve)));
    clock.advance(IDLE);
    await Promise.all(closed);
    expect(agent.errored).toMatchObject({ cause: expect.objectContaining({ code: 'ERR_YAMUX_WEBSOCKET_LOST' }) });
  });
});
