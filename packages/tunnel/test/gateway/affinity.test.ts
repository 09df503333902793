// What keeps a client on one agent: the gateway's own cookie, and the client's address, for raw TCP too.
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Answer, ask, listenRaw } from '../support/http.ts';
import { type Gateway, startAgent, startGateway } from '../support/tunnel.ts';

const NAMES = ['alpha', 'bravo', 'charlie'];

async function startNamed(gateway: Gateway, names: readonly string[] = NAMES): Promise<void> {
  for (const name of names) {
    await startAgent(gateway, {
      name,
      origin: (_request, response) => response.setHeader('Set-Cookie', 'own=1').end(name),
    });
  }
}

/** The gateway's own cookie, as a browser would send it back. */
function cookieOf({ headers }: Answer): string | undefined {
  return headers['set-cookie']?.find((cookie) => cookie.startsWith('tunnel-agent='))?.split(';')[0];
}

const asked = (gateway: Gateway, cookie: string | undefined): Promise<Answer> =>
  ask({ port: gateway.port, headers: cookie === undefined ? [] : ['Cookie', `a=1; ${cookie}; b=2`] });

describe('affinity by the cookie of the gateway', () => {
  it('keeps a client on the agent that answered first, and sets the cookie once', async () => {
    const gateway = await startGateway({ affinity: 'sticky' });
    await startNamed(gateway);
    for (let client = 0; client < 3; client += 1) {
      const first = await asked(gateway, undefined);
      const cookie = cookieOf(first);
      expect(first.headers['set-cookie']).toEqual([
        'own=1',
        expect.stringMatching(/^tunnel-agent=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/),
      ]);
      for (let again = 0; again < 3; again += 1) {
        const answer = await asked(gateway, cookie);
        expect([answer.body, answer.headers['set-cookie']]).toEqual([first.body, ['own=1']]);
      }
    }
  });

  it('is understood by another gateway with the same secret, and says nothing of the agent to who reads it', async () => {
    const gateways = [await startGateway({ affinity: 'sticky' }), await startGateway({ affinity: 'sticky' })] as const;
    for (const gateway of gateways) await startNamed(gateway);
    const first = await asked(gateways[0], undefined);
    const cookie = cookieOf(first) ?? '';
    expect(Buffer.from(cookie, 'base64url').toString('latin1') + cookie).not.toContain(first.body);
    for (let again = 0; again < 3; again += 1) expect((await asked(gateways[1], cookie)).body).toBe(first.body);
  });

  it('moves with the client when the agent drains, and one that was made up names nobody', async () => {
    const gateway = await startGateway({ affinity: 'sticky' });
    await startNamed(gateway, ['alpha', 'bravo']);
    const first = await asked(gateway, undefined);
    gateway.gateway.drain(first.body, 'test');
    const moved = await asked(gateway, cookieOf(first));
    expect(moved.body).toBe(first.body === 'alpha' ? 'bravo' : 'alpha');
    expect(cookieOf(moved)).toMatch(/^tunnel-agent=/);
    gateway.gateway.resume(first.body);
    expect((await asked(gateway, cookieOf(moved))).body).toBe(moved.body);
    const made = await asked(gateway, `tunnel-agent=${'A'.repeat(22)}`);
    expect([made.status, cookieOf(made)]).toEqual([200, expect.stringMatching(/^tunnel-agent=/)]);
  });
});

it('affinity by address keeps the TCP connections of a client on one agent; without it they are spread', async () => {
  const tcp = [{ name: 'db', port: 0 }];
  const [byIp, free] = [await startGateway({ tcp, affinity: 'ip' }), await startGateway({ tcp })];
  for (const gateway of [byIp, free]) {
    for (const name of ['alpha', 'bravo']) {
      const port = await listenRaw((socket) => socket.end(name));
      await startAgent(gateway, { name, routes: ['tcp:db'], origin: `tcp:db=tcp://127.0.0.1:${port}` });
    }
  }
  const served = async ({ gateway }: Gateway): Promise<Set<string>> => {
    const names = new Set<string>();
    for (let count = 0; count < 4; count += 1) {
      const client = connect({ port: gateway.tcpPorts.get('db') ?? 0, host: '127.0.0.1' });
      onTestFinished(() => void client.destroy());
      names.add(String((await once(client, 'data'))[0]));
    }
    return names;
  };
  expect([(await served(byIp)).size, (await served(free)).size]).toEqual([1, 2]);
});
