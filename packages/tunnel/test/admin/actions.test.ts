import { describe, expect, it } from 'vitest';
import { type Admin, codeOf, startAdmin } from '../support/admin.ts';
import { type Answer, ask } from '../support/http.ts';
import { type Gateway, startAgent, startGateway } from '../support/tunnel.ts';

async function start(balance = 'weighted'): Promise<{ gateway: Gateway; admin: Admin }> {
  const gateway = await startGateway({ balance });
  for (const name of ['alpha', 'bravo']) {
    await startAgent(gateway, { name, origin: (_request, response) => response.end(name) });
  }
  return { gateway, admin: await startAdmin(gateway) };
}

function post(admin: Admin, path: string, body?: unknown): Promise<Answer> {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  return admin.ask(path, { method: 'POST', headers: admin.authorization, body: text });
}

/** How many of some requests each agent served. */
async function shares(gateway: Gateway, requests: number): Promise<Record<string, number>> {
  const served: Record<string, number> = {};
  for (let count = 0; count < requests; count += 1) {
    const { body } = await ask({ port: gateway.port });
    served[body] = (served[body] ?? 0) + 1;
  }
  return served;
}

describe('the admin port', () => {
  it('drains a session, which gets no request then, and resumes it', async () => {
    const { gateway, admin } = await start();
    const drained = await post(admin, '/sessions/alpha~1/drain', { reason: 'a new kernel' });
    expect([drained.status, JSON.parse(drained.body)]).toMatchObject([
      200,
      { session: { key: 'alpha~1', draining: true, drainReason: 'a new kernel' } },
    ]);
    expect(await shares(gateway, 4)).toEqual({ bravo: 4 });
    const resumed = await post(admin, '/sessions/alpha~1/resume');
    expect([resumed.status, JSON.parse(resumed.body)]).toMatchObject([200, { session: { draining: false } }]);
    expect(await shares(gateway, 4)).toEqual({ alpha: 2, bravo: 2 });
    expect((await post(admin, '/sessions/alpha~1/resume')).status).toBe(200); // it takes requests: so be it
  });

  it('gives a session another weight, and its share follows', async () => {
    const { gateway, admin } = await start();
    const weighed = await post(admin, '/sessions/alpha~1/weight', { weight: 3 });
    expect([weighed.status, JSON.parse(weighed.body)]).toMatchObject([200, { session: { weight: 3 } }]);
    expect(await shares(gateway, 8)).toEqual({ alpha: 6, bravo: 2 });
    await post(admin, '/sessions/alpha~1/weight', { weight: 0 });
    expect(await shares(gateway, 4)).toEqual({ bravo: 4 });
  });

  it('does not resume a session whose agent goes away', async () => {
    const gateway = await startGateway();
    const { agent } = await startAgent(gateway, { origin: (_request, response) => void response.write('runs') });
    const admin = await startAdmin(gateway);
    void ask({ port: gateway.port }).catch(() => {}); // what holds the agent until the test is over
    const said = gateway.logged('agent drains');
    void agent.close(60_000);
    await said;
    const answer = await post(admin, '/sessions/alpha~1/resume');
    expect([answer.status, codeOf(answer)]).toEqual([409, 'ERR_TUNNEL_CANNOT_RESUME']);
  });

  it.each([
    ['/sessions/nobody/drain', {}, 404, 'ERR_YAMUX_POOL_UNKNOWN_SESSION'],
    ['/sessions/alpha~1/shake', {}, 404, 'ERR_TUNNEL_ADMIN_NOT_FOUND'],
    ['/sessions/nobody/cut', {}, 404, 'ERR_YAMUX_POOL_UNKNOWN_SESSION'],
    ['/agents/alpha/shake', {}, 404, 'ERR_TUNNEL_ADMIN_NOT_FOUND'],
    ['/agents/alpha/restore', {}, 404, 'ERR_TUNNEL_ADMIN_NOT_FOUND'],
    ['/sessions/%/drain', {}, 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['/sessions/alpha~1/weight', {}, 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['/sessions/alpha~1/weight', { weight: '3' }, 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['/sessions/alpha~1/weight', { weight: -1 }, 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['/sessions/alpha~1/weight', '{"weight":1e999}', 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['/sessions/alpha~1/weight', '3', 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['/sessions/alpha~1/drain', 'not JSON', 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['/sessions/alpha~1/drain', { reason: 5 }, 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['/sessions/alpha~1/drain', { reason: 'x'.repeat(5_000) }, 400, 'ERR_TUNNEL_BAD_REQUEST'],
    ['/nothing', {}, 405, 'ERR_TUNNEL_ADMIN_METHOD'],
  ])('answers POST %s with %j by %i and %s, and changes nothing', async (path, body, status, code) => {
    const { gateway, admin } = await start();
    const before = gateway.gateway.routes.pool.stats().sessions.map(({ weight, draining }) => [weight, draining]);
    const answer = await post(admin, path, body);
    expect([answer.status, codeOf(answer)]).toEqual([status, code]);
    const after = gateway.gateway.routes.pool.stats().sessions.map(({ weight, draining }) => [weight, draining]);
    expect(after).toEqual(before);
  });

  it('cuts a session, and its agent comes back', async () => {
    const { gateway, admin } = await start();
    const [gone, back] = [gateway.logged('agent gone'), gateway.logged('agent connected')];
    expect((await post(admin, '/sessions/alpha~1/cut')).status).toBe(200);
    expect(await gone).toMatchObject({ agent: 'alpha' });
    expect(await back).toMatchObject({ agent: 'alpha' });
  });

  it('revokes an agent: its sessions end, and it is refused until it is restored', async () => {
    const { gateway, admin } = await start();
    const [gone, refused] = [gateway.logged('agent gone'), gateway.logged('agent refused')];
    const answer = await post(admin, '/agents/alpha/revoke');
    expect(JSON.parse(answer.body)).toEqual({ cut: 1, revoked: ['agent alpha'] });
    expect(await gone).toMatchObject({ agent: 'alpha' });
    expect(await refused).toMatchObject({ status: 403, error: expect.stringContaining('ERR_TUNNEL_TOKEN_REVOKED') });
    expect(JSON.parse((await post(admin, '/agents/alpha/restore')).body)).toEqual({ cut: 0, revoked: [] });
  });

  it('acts by POST alone', async () => {
    const { admin } = await start();
    const answer = await admin.ask('/sessions/alpha~1/drain', { headers: admin.authorization });
    expect([answer.status, codeOf(answer)]).toEqual([405, 'ERR_TUNNEL_ADMIN_METHOD']);
  });

  it('says for a route why each session would be picked, or would not', async () => {
    const { gateway, admin } = await start();
    await startAgent(gateway, {
      name: 'charlie',
      origin: 'http://127.0.0.1:1',
      routes: ['other.example/api', 'tcp:db'],
    });
    await post(admin, '/sessions/bravo~2/drain', { reason: 'a new kernel' });
    const explain = async (query: string): Promise<unknown> => JSON.parse((await admin.ask(`/explain?${query}`)).body);
    expect(await explain('host=App.Example:80')).toMatchObject({
      service: 'app.example',
      summary: 'app.example: 1 of its 2 sessions can take one now.',
      sessions: [
        { key: 'alpha~1', verdict: 'eligible', detail: expect.stringContaining('It may be picked') },
        { key: 'bravo~2', verdict: 'draining', detail: expect.stringContaining('a new kernel') },
        { key: 'charlie~3', verdict: 'filtered', detail: 'Its token is not for app.example' },
      ],
    });
    await post(admin, '/sessions/charlie~3/drain');
    expect(await explain('host=other.example&path=/api/x')).toMatchObject({
      summary: 'other.example/api: 0 of its 1 session can take one now, a request is answered 503.',
    });
    expect(await explain('host=tcp:db')).toMatchObject({
      service: 'tcp:db',
      summary: expect.stringContaining('a connection is reset'),
    });
    expect(await explain('host=other.example&path=/elsewhere')).toEqual({
      gateways: [],
      service: null,
      summary: 'No agent has ever served other.example/elsewhere: a request is answered 404.',
      sessions: [],
    });
  });
});
