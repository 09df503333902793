import type { IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Access, checkAdminToken } from '../../src/admin/access.ts';
import { codeOf, startAdmin } from '../support/admin.ts';
import { startAgent, startGateway } from '../support/tunnel.ts';

const READS = ['/metrics', '/events', '/explain?host=app.example'];
const ACTS = ['/sessions/alpha~1/drain', '/sessions/alpha~1/resume', '/sessions/alpha~1/weight'];

describe('on a loopback address', () => {
  it.each(READS.filter((path) => path !== '/events'))('%s is for everybody on this machine', async (path) => {
    const admin = await startAdmin(await startGateway());
    expect((await admin.ask(path)).status).toBe(200);
  });

  it.each([
    ['an IPv6 name', '[::1]:8081'],
    ['localhost', 'localhost:8081'],
    ['another address of the loopback', '127.8.9.10'],
  ])('%s is a name of this machine', async (_what, host) => {
    const admin = await startAdmin(await startGateway());
    expect((await admin.ask('/metrics', { host })).status).toBe(200);
  });

  it.each([
    ['/', 'rebound.example'],
    ['/metrics', 'rebound.example:8081'],
    ['/readyz', '127.0.0.1.rebound.example'],
    ['/explain', 'localhost.rebound.example'],
    ['/explain', '192.0.2.1'],
    ['/explain', ''],
  ])('%s by the name "%s" is refused: a site may have its name resolve to here', async (path, host) => {
    const admin = await startAdmin(await startGateway());
    const answer = await admin.ask(path, { host });
    expect([answer.status, codeOf(answer)]).toEqual([403, 'ERR_TUNNEL_ADMIN_HOST']);
  });

  it.each(ACTS)('POST %s asks for the token', async (path) => {
    const gateway = await startGateway();
    const admin = await startAdmin(gateway);
    await startAgent(gateway, { origin: 'http://127.0.0.1:1' });
    for (const headers of [[], ['Authorization', 'Bearer wrong'], ['Authorization', 'Basic dGhlOnRva2Vu']]) {
      const answer = await admin.ask(path, { method: 'POST', headers, body: '{"weight":7}' });
      expect([answer.status, codeOf(answer)]).toEqual([401, 'ERR_TUNNEL_ADMIN_TOKEN']);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    const [session] = gateway.gateway.routes.pool.stats().sessions;
    expect(session).toMatchObject({ draining: false, weight: 1 });
  });
});

describe('on another address', () => {
  const asked = (headers: Record<string, string>): IncomingMessage => ({ headers }) as unknown as IncomingMessage;

  it.each(['0.0.0.0', '::', '192.0.2.1', '2001:db8::1'])(
    'such as %s, reading asks for the token, by any name',
    (address) => {
      const access = new Access('the-token-of-this-test', address);
      const stranger = asked({ host: 'gateway.internal:8081' });
      expect([access.isOurHost(stranger), access.mayRead(stranger), access.mayAct(stranger)]).toEqual([
        true,
        false,
        false,
      ]);
      const owner = asked({ authorization: 'Bearer the-token-of-this-test' });
      expect([access.mayRead(owner), access.mayAct(owner)]).toEqual([true, true]);
    },
  );

  it.each(READS)('%s asks for the token', async (path) => {
    // Tests listen on loopback addresses only.
    const mayRead = vi.spyOn(Access.prototype, 'mayRead').mockReturnValue(false);
    onTestFinished(() => mayRead.mockRestore());
    const admin = await startAdmin(await startGateway());
    const answer = await admin.ask(path);
    expect([answer.status, codeOf(answer)]).toEqual([401, 'ERR_TUNNEL_ADMIN_TOKEN']);
  });

  it.each(['/healthz', '/readyz', '/', '/dashboard.js'])('%s has no secret and asks for nothing', async (path) => {
    const mayRead = vi.spyOn(Access.prototype, 'mayRead').mockReturnValue(false);
    onTestFinished(() => mayRead.mockRestore());
    const admin = await startAdmin(await startGateway());
    expect((await admin.ask(path)).status).toBe(200);
  });
});

it.each([
  ['short', RangeError],
  ['sixteen characters', TypeError],
])('the admin token "%s" is none', (token, error) => {
  expect(() => checkAdminToken(token)).toThrow(error);
  expect(() => new Access(token, '127.0.0.1')).toThrow(error);
});
