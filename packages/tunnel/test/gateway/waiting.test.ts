// A request that comes while no agent of its route is there: answered 503 at once, or, where the gateway is told so, served when one is back.
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask } from '../support/http.ts';
import { type Gateway, signal, startAgent, startGateway } from '../support/tunnel.ts';

/** A route that is known, and that nobody serves. */
async function deserted(gateway: Gateway): Promise<void> {
  const { agent } = await startAgent(gateway, { origin: 'http://127.0.0.1:1' });
  const gone = gateway.logged('agent gone');
  await agent.close(0);
  await gone;
}

const waiting = ({ gateway }: Gateway): number => gateway.routes.pool.stats({ sessions: false }).waitingOpens;

describe('a request for a route whose agents are gone', () => {
  it('is answered 503 and Retry-After at once, unless the gateway is told to wait', async () => {
    const gateway = await startGateway();
    await deserted(gateway);
    const answer = await ask({ port: gateway.port });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  });

  it.each(['GET', 'POST'])('waits for one, with agentWait: a %s', async (method) => {
    const gateway = await startGateway({ agentWait: 10_000 });
    await deserted(gateway);
    const answered = ask({ port: gateway.port, method, body: 'hello' });
    await expect.poll(() => waiting(gateway)).toBe(1);
    await startAgent(gateway, { name: 'back', origin: (request, response) => void request.pipe(response) });
    const answer = await answered;
    expect([answer.status, answer.body, answer.headers['x-served-by']]).toEqual([200, 'hello', 'back']);
  });

  it('is answered 503 and Retry-After when agentWait is over', async () => {
    const gateway = await startGateway({ agentWait: 100 });
    await deserted(gateway);
    const answer = await ask({ port: gateway.port });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.body).toContain('ERR_YAMUX_POOL_NO_MATCHING_SESSION');
  });

  it('waits for room, too, where all that are there are full', async () => {
    const gateway = await startGateway({ agentWait: 10_000, maxStreamsPerSession: 1 });
    const held = signal<() => void>();
    await startAgent(gateway, {
      origin: (request, response) => {
        if (request.url === '/held') held.tell(() => response.end('held'));
        else response.end('next');
      },
    });
    const first = ask({ port: gateway.port, path: '/held' });
    const release = await held.happened;
    const second = ask({ port: gateway.port });
    await expect.poll(() => waiting(gateway)).toBe(1);
    release();
    expect([(await first).body, (await second).body]).toEqual(['held', 'next']);
  });

  it('is answered 503 at once where maxWaitingPerRoute wait already', async () => {
    const gateway = await startGateway({ agentWait: 10_000, maxWaitingPerRoute: 2 });
    await deserted(gateway);
    const waiters = [ask({ port: gateway.port }), ask({ port: gateway.port })];
    await expect.poll(() => waiting(gateway)).toBe(2);
    expect((await ask({ port: gateway.port })).status).toBe(503);
    await startAgent(gateway, { origin: (_request, response) => response.end('back') });
    expect((await Promise.all(waiters)).map(({ body }) => body)).toEqual(['back', 'back']);
  });

  it('is answered 503 at once when the gateway closes: its agents dial elsewhere now', async () => {
    const gateway = await startGateway({ agentWait: 10_000 });
    await deserted(gateway);
    const answered = ask({ port: gateway.port });
    await expect.poll(() => waiting(gateway)).toBe(1);
    await Promise.all([gateway.gateway.close(), answered]);
    expect((await answered).status).toBe(503);
  });

  it('waits no longer than its client', async () => {
    const gateway = await startGateway({ agentWait: 10_000 });
    await deserted(gateway);
    const client = connect({ port: gateway.port, host: '127.0.0.1' });
    onTestFinished(() => void client.destroy());
    await once(client, 'connect');
    client.write('GET / HTTP/1.1\r\nHost: app.example\r\n\r\n');
    await expect.poll(() => waiting(gateway)).toBe(1);
    client.resetAndDestroy();
    await expect.poll(() => waiting(gateway)).toBe(0);
  });
});

describe('an agent that takes no streams', () => {
  it('is asked no more, though a cookie names it, until it answers', async () => {
    const gateway = await startGateway({ attemptTimeout: 200, affinity: 'sticky' });
    const silent = await startAgent(gateway, {
      name: 'silent',
      origin: (_request, response) => response.end('silent'),
    });
    const first = await ask({ port: gateway.port });
    const [cookie = ''] = (first.headers['set-cookie']?.[0] ?? '').split(';');
    await startAgent(gateway, { name: 'bravo', origin: (_request, response) => response.end('bravo') });
    silent.relay.stall();
    const headers = ['Cookie', cookie];
    expect(first.body).toBe('silent');
    expect((await ask({ port: gateway.port, method: 'POST', body: '', headers })).body).toBe('bravo');
    const failures = (): number => gateway.gateway.routes.pool.stats().openFailures;
    const before = failures();
    for (let count = 0; count < 3; count += 1) {
      expect((await ask({ port: gateway.port, method: 'POST', body: '', headers })).body).toBe('bravo');
    }
    expect(failures()).toBe(before);
  });

  it('and is the only one has the whole of openTimeout', async () => {
    const gateway = await startGateway({ attemptTimeout: 50, openTimeout: 400 });
    const silent = await startAgent(gateway, { origin: (_request, response) => response.end('late') });
    silent.relay.stall();
    const answer = await ask({ port: gateway.port, method: 'POST', body: '' });
    expect([answer.status, answer.body]).toEqual([504, expect.stringContaining('ERR_YAMUX_POOL_OPEN_TIMEOUT')]);
    expect(gateway.gateway.routes.pool.stats().openAttempts).toBe(2);
  });
});
