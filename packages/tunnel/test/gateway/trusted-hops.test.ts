// Who the client is, behind so many proxies that are trusted: for limits, for affinity, and for what the origin is told.
import { describe, expect, it } from 'vitest';
import { ask } from '../support/http.ts';
import { type Gateway, startAgent, startGateway } from '../support/tunnel.ts';

const from = (gateway: Gateway, forwardedFor: string, path = '/'): ReturnType<typeof ask> =>
  ask({ port: gateway.port, path, headers: ['X-Forwarded-For', forwardedFor, 'X-Forwarded-Proto', 'https'] });

describe('a gateway', () => {
  it.each([
    [0, '127.0.0.1 http'],
    [1, '6.6.6.6, 10.0.0.1, 127.0.0.1 https'],
  ])('that trusts %i proxies in front tells the origin %j', async (trustedHops, told) => {
    const gateway = await startGateway({ trustedHops });
    await startAgent(gateway, {
      origin: ({ headers }, response) => response.end(`${headers['x-forwarded-for']} ${headers['x-forwarded-proto']}`),
    });
    expect((await from(gateway, '6.6.6.6, 10.0.0.1')).body).toBe(told);
  });

  it('counts and keeps clients by the address that the outermost trusted proxy saw, whatever they claim before it', async () => {
    const gateway = await startGateway({ trustedHops: 2, affinity: 'ip', maxRequestsPerAddress: 1 });
    for (const name of ['alpha', 'bravo', 'charlie']) {
      await startAgent(gateway, {
        name,
        origin: (request, response) => {
          if (request.url === '/held')
            response.write(name); // and never ends
          else response.end(name);
        },
      });
    }
    const names = new Set<string>();
    for (let claim = 0; claim < 4; claim += 1) {
      names.add((await from(gateway, `9.9.9.${claim}, 192.0.2.1, 10.0.0.1`)).body);
    }
    expect(names.size).toBe(1);
    void from(gateway, '192.0.2.1, 10.0.0.1', '/held').catch(() => {});
    while (gateway.gateway.running.requests === 0) await from(gateway, '192.0.2.7, 10.0.0.1');
    expect((await from(gateway, '8.8.8.8, 192.0.2.1, 10.0.0.1')).status).toBe(429);
    expect((await from(gateway, '192.0.2.2, 10.0.0.1')).status).toBe(200);
  });
});
