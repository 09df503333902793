import { describe, expect, it } from 'vitest';
import { codeOf, startAdmin } from '../support/admin.ts';
import { ask } from '../support/http.ts';
import { signal, startAgent, startGateway } from '../support/tunnel.ts';

describe('the admin port', () => {
  it('says that the process lives', async () => {
    const admin = await startAdmin(await startGateway());
    expect(await admin.ask('/healthz')).toMatchObject({ status: 200, body: '{"status":"alive"}\n' });
  });

  it('answers HEAD, as some load balancers ask, but for the feed, which has no end', async () => {
    const admin = await startAdmin(await startGateway());
    const statuses = ['/healthz', '/readyz', '/', '/metrics', '/events'].map(
      async (path) => (await admin.ask(path, { method: 'HEAD' })).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 200, 200, 200, 405]);
  });

  it('says that the gateway is ready when its sessions have joined, and that it stays so when they leave', async () => {
    const gateway = await startGateway({ readySessions: 2 });
    const admin = await startAdmin(gateway);
    const { relay } = await startAgent(gateway, { origin: 'http://127.0.0.1:1' });
    const early = await admin.ask('/readyz');
    expect([early.status, codeOf(early)]).toEqual([503, 'ERR_TUNNEL_NOT_READY']);
    expect(early.body).toContain('1 of the 2 sessions');
    await startAgent(gateway, { name: 'bravo', origin: 'http://127.0.0.1:1' });
    expect(await admin.ask('/readyz')).toMatchObject({ status: 200, body: '{"status":"serving"}\n' });
    const gone = gateway.logged('agent gone');
    relay.cut(true);
    await gone;
    expect((await admin.ask('/readyz')).status).toBe(200);
  });

  it('says that the gateway is not ready while it drains, and that it lives', async () => {
    const gateway = await startGateway();
    const admin = await startAdmin(gateway);
    const held = signal<() => void>();
    await startAgent(gateway, { origin: (_request, response) => held.tell(() => response.end()) });
    const running = ask({ port: gateway.port });
    const release = await held.happened;
    const closed = gateway.gateway.close();
    const draining = await admin.ask('/readyz');
    expect([draining.status, codeOf(draining)]).toEqual([503, 'ERR_TUNNEL_NOT_READY']);
    expect(draining.body).toContain('draining');
    expect((await admin.ask('/healthz')).status).toBe(200);
    release();
    await Promise.all([running, closed]);
  });
});
