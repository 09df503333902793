// What one tenant has used up is nobody else's loss.
import { once } from 'node:events';
import type { YamuxSession } from '@zishuo/yamux';
import { dial } from '@zishuo/yamux-websocket';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Tenants } from '../../src/gateway/tenants.ts';
import { signToken } from '../../src/token.ts';
import { ask } from '../support/http.ts';
import { type Gateway, SECRET, signal, startAgent, startGateway } from '../support/tunnel.ts';

const limits = {
  maxSessionsPerTenant: 2,
  maxRequestsPerTenant: 2,
  maxWindowGrowthPerTenant: 1_000,
  maxMessagesPerTenant: 1_000,
  maxDialsPerSecond: 1_000,
};
const claims = (tenant: string, ...routes: string[]) => ({ agent: 'alpha', tenant, routes, weight: 1, expires: 0 });

describe('a tenant', () => {
  it('has a name while one of its sessions serves it', () => {
    const tenants = new Tenants(limits);
    tenants.join(claims('acme', 'app.example/api', 'tcp:db'));
    tenants.join(claims('acme', 'app.example'));
    expect(tenants.takenBy(claims('other', 'free.example', 'app.example/other'))).toBe('acme');
    expect(tenants.takenBy(claims('other', 'tcp:db'))).toBe('acme');
    expect(tenants.takenBy(claims('acme', 'app.example/other'))).toBeUndefined();
    tenants.leave(claims('acme', 'app.example'));
    expect(tenants.takenBy(claims('other', 'app.example'))).toBe('acme');
    tenants.leave(claims('acme', 'app.example/api', 'tcp:db'));
    expect(tenants.takenBy(claims('other', 'app.example', 'tcp:db'))).toBeUndefined();
  });

  it('has as many sessions and requests as it may, whatever others have', () => {
    const tenants = new Tenants(limits);
    const acme = tenants.join(claims('acme', 'a.example'));
    expect(tenants.isFull('acme')).toBe(false);
    tenants.join(claims('acme', 'a.example'));
    expect([tenants.isFull('acme'), tenants.isFull('other')]).toEqual([true, false]);
    expect([acme.takeRequest(), acme.takeRequest(), acme.takeRequest()]).toEqual([true, true, false]);
    expect(tenants.of('other').takeRequest()).toBe(true);
    acme.giveRequest();
    expect(acme.takeRequest()).toBe(true);
  });

  it('keeps what it has used up when its last session ends: coming back is no way to more', () => {
    const tenants = new Tenants(limits);
    tenants.join(claims('acme', 'a.example')).messageBudget.take(5);
    tenants.leave(claims('acme', 'a.example'));
    expect(tenants.join(claims('acme', 'a.example')).messageBudget.taken).toBe(5);
  });
});

function tokenOf(tenant: string, ...routes: string[]): string {
  return signToken({ agent: `of-${tenant}`, tenant, routes, expires: Date.now() + 600_000 }, SECRET);
}

function dialAs({ port }: Gateway, tenant: string, ...routes: string[]): Promise<YamuxSession> {
  const headers = { Authorization: `Bearer ${tokenOf(tenant, ...routes)}` };
  const dialed = dial(`ws://127.0.0.1:${port}/connect`, { headers });
  dialed.then(
    (session) => {
      session.on('error', () => {});
      onTestFinished(() => session.destroy());
    },
    () => {},
  );
  return dialed;
}

describe('agents', () => {
  it('of two tenants that dial at the same time for one host do not both get it', async () => {
    const gateway = await startGateway();
    const [refused] = [gateway.logged('agent refused')];
    await Promise.allSettled([dialAs(gateway, 'acme', 'a.example'), dialAs(gateway, 'other', 'a.example')]);
    expect(await refused).toMatchObject({ status: 403 });
    expect(gateway.gateway.routes.sessions.size).toBe(1);
  });

  it('of one tenant that dial at the same time are no more than maxSessionsPerTenant', async () => {
    const gateway = await startGateway({ maxSessionsPerTenant: 2 });
    const refused = Array.from({ length: 6 }, () => gateway.logged('agent refused'));
    await Promise.allSettled(Array.from({ length: 8 }, () => dialAs(gateway, 'acme', 'a.example')));
    await Promise.all(refused);
    expect(gateway.gateway.routes.sessions.size).toBe(2);
  });

  it('of a tenant that floods the gateway with pings are read later, those of another tenant are not', async () => {
    const gateway = await startGateway({ maxMessagesPerTenant: 1_000 });
    await startAgent(gateway, { origin: (_request, response) => response.end('served') });
    const { WebSocket } = await import('ws');
    const headers = { Authorization: `Bearer ${tokenOf('flood', 'flood.example')}` };
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/connect`, { headers });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    for (let count = 0; count < 200; count += 1) socket.ping();
    const budget = gateway.gateway.routes.tenants.of('flood').messageBudget;
    await expect.poll(() => budget.isUsedUp).toBe(true);
    expect((await ask({ port: gateway.port })).body).toBe('served');
    expect(gateway.gateway.routes.tenants.of('test').messageBudget.isUsedUp).toBe(false);
  });

  it('of a tenant that floods the gateway with Yamux frames that carry nothing are read later', async () => {
    const gateway = await startGateway({ maxMessagesPerTenant: 1_000 });
    const { WebSocket } = await import('ws');
    const headers = { Authorization: `Bearer ${tokenOf('flood', 'flood.example')}` };
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/connect`, { headers });
    onTestFinished(() => socket.terminate());
    await once(socket, 'open');
    // A WindowUpdate of nothing for a stream that nobody has.
    const frame = Buffer.from([0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]);
    socket.send(Buffer.concat(Array.from({ length: 20_000 }, () => frame)));
    const budget = gateway.gateway.routes.tenants.of('flood').messageBudget;
    await expect.poll(() => budget.isUsedUp, { timeout: 5_000 }).toBe(true);
  });

  it('that cannot be taken in, for whatever reason, cost the gateway nothing but their session', async () => {
    const gateway = await startGateway();
    vi.spyOn(gateway.gateway.routes, 'join').mockImplementationOnce(() => {
      throw new Error('of nobody foreseen');
    });
    const told = gateway.logged('unforeseen error');
    const session = await dialAs(gateway, 'acme', 'a.example');
    await new Promise<void>((resolve) => session.once('close', resolve));
    expect(await told).toMatchObject({ error: expect.stringContaining('of nobody foreseen') });
    await dialAs(gateway, 'acme', 'a.example');
    expect(gateway.gateway.routes.sessions.size).toBe(1);
  });

  it('of one tenant share windows that grow among themselves alone', async () => {
    const gateway = await startGateway({ maxWindowGrowthPerTenant: 5_000_000 });
    await Promise.all([dialAs(gateway, 'acme', 'a.example'), dialAs(gateway, 'acme', 'a.example')]);
    await dialAs(gateway, 'other', 'b.example');
    const { tenants } = gateway.gateway.routes;
    expect([tenants.of('acme').windowBudget.size, tenants.of('acme').sessions]).toEqual([5_000_000, 2]);
    expect(tenants.of('other').windowBudget).not.toBe(tenants.of('acme').windowBudget);
  });
});

it('requests above maxRequestsPerTenant are answered 503, those for other tenants are not', async () => {
  const gateway = await startGateway({ maxRequestsPerTenant: 1 });
  const held = signal<() => void>();
  await startAgent(gateway, {
    origin: (request, response) => {
      if (request.url === '/held') held.tell(() => response.end('held'));
      else response.end('next');
    },
  });
  const other = await dialAs(gateway, 'other', 'other.example');
  other.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.once('data', () => stream.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother'));
  });
  const running = ask({ port: gateway.port, path: '/held' });
  const release = await held.happened;
  const refused = await ask({ port: gateway.port });
  expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
  expect(refused.body).toContain('ERR_TUNNEL_TENANT_LIMIT');
  expect((await ask({ port: gateway.port, host: 'other.example' })).body).toBe('other');
  release();
  expect((await running).body).toBe('held');
  expect((await ask({ port: gateway.port })).body).toBe('next');
});
