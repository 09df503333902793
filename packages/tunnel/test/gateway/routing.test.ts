// Which agent gets a request: by host and path, and the same one for the same tenant.
import { describe, expect, it } from 'vitest';
import { ask } from '../support/http.ts';
import { type Gateway, startAgent, startGateway } from '../support/tunnel.ts';

/** Answers with its own name. */
function startNamed(gateway: Gateway, name: string, routes: readonly string[]): Promise<unknown> {
  return startAgent(gateway, { name, routes, origin: (_request, response) => response.end(name) });
}

describe('a request', () => {
  it('goes to the agent of its host and of the longest path, which ends where a segment does', async () => {
    const gateway = await startGateway();
    await startNamed(gateway, 'app', ['app.example']);
    await startNamed(gateway, 'api', ['app.example/api']);
    await startNamed(gateway, 'v2', ['App.Example/api/v2/', 'other.example']);
    const served = async (path: string, host = 'app.example'): Promise<string> =>
      (await ask({ port: gateway.port, path, host })).body;
    expect(await served('/')).toBe('app');
    expect(await served('/apix')).toBe('app');
    expect(await served('/API')).toBe('app');
    expect(await served('/api')).toBe('api');
    expect(await served('/api?x=/v2')).toBe('api');
    expect(await served('/api/v2')).toBe('v2');
    expect(await served('/api/v2/x')).toBe('v2');
    expect(await served('/', 'OTHER.example:8080')).toBe('v2');
  });

  it.each([
    ['a path below which nobody serves', '/elsewhere', 'app.example', 404, 'ERR_TUNNEL_UNKNOWN_ROUTE'],
    ['a host of which nobody has heard', '/', 'nobody.example', 404, 'ERR_TUNNEL_UNKNOWN_ROUTE'],
    ['a Host that is none', '/', 'app example', 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['a path that leads out of its route', '/api/%2e%2e/x', 'app.example', 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['the address of another host', 'http://other.example/', 'app.example', 400, 'ERR_TUNNEL_BAD_REQUEST'],
  ])('with %s is answered so, and by the gateway itself', async (_what, path, host, status, code) => {
    const gateway = await startGateway();
    await startNamed(gateway, 'api', ['app.example/api']);
    const answer = await ask({ port: gateway.port, path, host });
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([status, { error: { code } }]);
    expect(answer.headers['x-served-by']).toBeUndefined();
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('affinity', () => {
  const tenants = ['t1', 't2', 't3', 't4', 't5', 't6'];

  it.each([
    ['header:X-Tenant', (tenant: string) => ['X-Tenant', tenant]],
    ['cookie:tenant', (tenant: string) => ['Cookie', `a=1; tenant=${tenant}; b=2`]],
  ])('by %s keeps a tenant on one agent, and moves it when that one leaves', async (affinity, headersOf) => {
    const gateway = await startGateway({ affinity });
    for (const name of ['alpha', 'bravo', 'charlie']) await startNamed(gateway, name, ['app.example']);
    const served = async (tenant: string): Promise<string> =>
      (await ask({ port: gateway.port, headers: headersOf(tenant) })).body;
    const first = await Promise.all(tenants.map(served));
    expect(new Set(first).size).toBe(3);
    for (let again = 0; again < 3; again += 1) expect(await Promise.all(tenants.map(served))).toEqual(first);

    gateway.gateway.drain('alpha', 'test');
    const moved = await Promise.all(tenants.map(served));
    expect(moved).not.toContain('alpha');
    expect(moved.filter((name, index) => first[index] !== 'alpha' && name !== first[index])).toEqual([]);
    gateway.gateway.resume('alpha');
    expect(await Promise.all(tenants.map(served))).toEqual(moved);
  });

  it('by ip keeps all of one client on one agent; without a key requests are spread', async () => {
    const byIp = await startGateway({ affinity: 'ip' });
    const free = await startGateway();
    for (const gateway of [byIp, free]) {
      for (const name of ['alpha', 'bravo']) await startNamed(gateway, name, ['app.example']);
    }
    const servedBy = async ({ port }: Gateway): Promise<number> => {
      const answers: string[] = [];
      for (let count = 0; count < 4; count += 1) answers.push((await ask({ port })).body);
      return new Set(answers).size;
    };
    expect([await servedBy(byIp), await servedBy(free)]).toEqual([1, 2]);
  });
});
