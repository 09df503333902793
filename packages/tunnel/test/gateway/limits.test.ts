// What a client or a tenant cannot use up.
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { dial, UpgradeRefusedError } from '@zishuo/yamux-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ServedRequest } from '../../src/gateway/served.ts';
import { ask, askRaw } from '../support/http.ts';
import { signal, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

describe('the limits of a gateway', () => {
  it('a head that is too large is answered 431', async () => {
    const gateway = await startGateway({ maxHeaderSize: 2_000 });
    const answer = await askRaw(gateway.port, `GET / HTTP/1.1\r\nHost: app.example\r\nX: ${'x'.repeat(3_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 431 /);
  });

  it('a body of which nothing comes is answered 408, and its request aborted at the origin', async () => {
    const gateway = await startGateway({ idleTimeout: 100 });
    const aborted = signal();
    await startAgent(gateway, {
      origin: (request) => void request.on('error', () => {}).once('close', () => aborted.tell()),
    });
    const client = connect({ port: gateway.port, host: '127.0.0.1' });
    onTestFinished(() => void client.destroy());
    client.write('POST / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhalf');
    expect(await text(client)).toMatch(/^HTTP\/1.1 408 .*ERR_TUNNEL_BODY_TIMEOUT/s);
    await aborted.happened;
  });

  it('requests above maxStreamsPerSession go to another agent, and are answered 503 where there is none', async () => {
    const gateway = await startGateway({ maxStreamsPerSession: 1 });
    const held = signal<() => void>();
    await startAgent(gateway, { origin: (_request, response) => held.tell(() => response.end('held')) });
    const running = ask({ port: gateway.port });
    const release = await held.happened;
    const refused = await ask({ port: gateway.port });
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    expect(JSON.parse(refused.body)).toMatchObject({ error: { code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION' } });
    await startAgent(gateway, { name: 'bravo', origin: (_request, response) => response.end('bravo') });
    expect((await ask({ port: gateway.port })).body).toBe('bravo');
    release();
    expect((await running).body).toBe('held');
  });

  it('sessions above maxSessionsPerTenant are refused with 503 and say why, those of other tenants are not', async () => {
    const gateway = await startGateway({ maxSessionsPerTenant: 1 });
    await startAgent(gateway, { origin: 'http://127.0.0.1:1' });
    const url = `ws://127.0.0.1:${gateway.port}/connect`;
    const refused = dial(url, { headers: { Authorization: `Bearer ${tokenFor('bravo')}` } });
    await expect(refused).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '30' } });
    const error = (await refused.catch((reason: unknown) => reason)) as UpgradeRefusedError;
    expect(error).toBeInstanceOf(UpgradeRefusedError);
    expect(error.body).toBe('tenant test has 1 sessions already\n');
  });

  it('an agent cannot open streams to the gateway, nor tunnel through it by CONNECT', async () => {
    const gateway = await startGateway();
    const session = await dial(`ws://127.0.0.1:${gateway.port}/connect`, {
      headers: { Authorization: `Bearer ${tokenFor('alpha')}` },
    });
    onTestFinished(() => session.destroy());
    const stream = await session.open();
    const [error] = (await once(stream, 'error')) as [Error];
    expect(error).toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET', refused: true });
    const answer = await askRaw(gateway.port, 'CONNECT app.example:22 HTTP/1.1\r\nHost: app.example\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 405 /);
  });

  it('each request is told once, with what it carried', async () => {
    const served: ServedRequest[] = [];
    const gateway = await startGateway();
    gateway.gateway.on('served', (request) => served.push(request));
    await startAgent(gateway, { origin: (request, response) => void request.pipe(response) });
    const logged = gateway.logged('served');
    await ask({ port: gateway.port, method: 'POST', body: 'x'.repeat(10_000) });
    await logged;
    expect(served).toEqual([
      expect.objectContaining({
        kind: 'http',
        service: 'app.example',
        agent: 'alpha',
        outcome: 'complete',
        status: 200,
        tries: 1,
      }),
    ]);
    expect(served[0]?.bytesUp).toBeGreaterThan(10_000);
    expect(served[0]?.bytesDown).toBeGreaterThan(10_000);
  });
});
