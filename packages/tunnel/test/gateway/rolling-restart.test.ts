import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AdminServer } from '../../src/admin/admin-server.ts';
import { Targets } from '../../src/agent/targets.ts';
import { TunnelAgent } from '../../src/agent/tunnel-agent.ts';
import { type Backend, Front } from '../../src/demo/front.ts';
import { ask, listen } from '../support/http.ts';
import { type Gateway, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

/** Milliseconds. The front looks twenty times as often. */
const DRAIN_DELAY = 1_000;
const CLIENTS = 6;
const BODY = 'x'.repeat(100_000);

/** Where a gateway is found, whichever is there just now. */
class Place {
  readonly backend: Backend;
  #gateway: Gateway;
  #admin: AdminServer;

  static async open(): Promise<Place> {
    const gateway = await startGateway({ drainDelay: DRAIN_DELAY });
    return new Place(gateway, await adminOf(gateway, 0));
  }

  private constructor(gateway: Gateway, admin: AdminServer) {
    this.#gateway = gateway;
    this.#admin = admin;
    this.backend = { host: '127.0.0.1', port: gateway.port, readyUrl: new URL('/readyz', admin.url).href };
  }

  async restart(): Promise<void> {
    await this.#gateway.gateway.close();
    await this.#admin.close();
    this.#gateway = await startGateway({ port: this.backend.port, drainDelay: DRAIN_DELAY, readySessions: 1 });
    this.#admin = await adminOf(this.#gateway, Number(new URL(this.backend.readyUrl).port));
  }
}

async function adminOf({ gateway }: Gateway, port: number): Promise<AdminServer> {
  const admin = await AdminServer.listen({ gateway, port, token: 'the-token-of-this-test' });
  onTestFinished(() => admin.close());
  return admin;
}

describe('a gateway that is asked to stop', () => {
  it('says that it is not ready and still takes requests, until who stands in front has noticed', async () => {
    const gateway = await startGateway({ drainDelay: DRAIN_DELAY });
    await startAgent(gateway, { origin: (_request, response) => response.end('served') });
    const closed = gateway.gateway.close();
    expect(gateway.gateway.readiness.state).toBe('draining');
    const answer = await ask({ port: gateway.port });
    expect([answer.body, answer.headers.connection]).toEqual(['served', 'close']);
    const agent = connect({ port: gateway.port, host: '127.0.0.1' });
    await once(agent, 'connect');
    agent.end(
      `GET /connect HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${tokenFor('late')}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    expect(await text(agent)).toMatch(/^HTTP\/1.1 503 .*retry-after: 1\r\n/is);
    await closed;
    await expect(ask({ port: gateway.port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('and the other one after it, under load, cost no request', async () => {
    const places = [await Place.open(), await Place.open()];
    const origin = await listen((request, response) => void request.pipe(response));
    const agent = new TunnelAgent({
      gateways: places.map(({ backend }) => `ws://127.0.0.1:${backend.port}/connect`),
      token: tokenFor('alpha'),
      targets: Targets.parse([`http://127.0.0.1:${origin}`]),
      log: () => {},
    });
    onTestFinished(() => agent.close(0));
    await agent.connected;
    const front = await Front.listen(places.map(({ backend }) => backend));
    onTestFinished(() => front.close());

    let isOver = false;
    let served = 0;
    const client = async (): Promise<void> => {
      while (!isOver) {
        const answer = await ask({ port: Number(new URL(front.url).port), method: 'POST', body: BODY });
        expect([answer.status, answer.body === BODY]).toEqual([200, true]);
        served += 1;
      }
    };
    const load = Promise.all(Array.from({ length: CLIENTS }, client));
    const roll = async (): Promise<void> => {
      for (const place of places) {
        const before = served;
        await place.restart();
        await front.becomesReady(place.backend);
        expect(served).toBeGreaterThan(before);
      }
    };
    await Promise.race([roll(), load]);
    isOver = true;
    await load;
  }, 60_000);
});
