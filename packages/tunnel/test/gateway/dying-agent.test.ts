import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { dial } from '@zishuo/yamux-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, askForHead } from '../support/http.ts';
import { HOST, signal, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

const SESSIONS = 5;

describe('when an agent dies', () => {
  it('a request without a body that has no answer yet is served by another one', async () => {
    const gateway = await startGateway();
    const asked = signal();
    const dying = await startAgent(gateway, { name: 'alpha', origin: () => asked.tell() });
    const answered = ask({ port: gateway.port, method: 'DELETE', path: '/it' });
    await asked.happened;
    await startAgent(gateway, {
      name: 'bravo',
      origin: (request, response) => response.end(`${request.method} ${request.url}`),
    });
    dying.relay.cut(true);
    const answer = await answered;
    expect([answer.status, answer.body]).toEqual([200, 'DELETE /it']);
    expect(answer.headers['x-served-by']).toBe('bravo');
  });

  it('before it answered, a body that is still in hand is sent once more', async () => {
    const gateway = await startGateway();
    const asked = signal();
    const dying = await startAgent(gateway, {
      name: 'alpha',
      origin: (request) => {
        request.resume().once('end', () => asked.tell());
      },
    });
    const body = 'kept'.repeat(10_000);
    const answered = ask({ port: gateway.port, method: 'PUT', body: Readable.from([body.slice(0, 5), body.slice(5)]) });
    await asked.happened;
    await startAgent(gateway, { name: 'bravo', origin: (request, response) => void request.pipe(response) });
    dying.relay.cut(true);
    const answer = await answered;
    expect([answer.status, answer.headers['x-served-by']]).toEqual([200, 'bravo']);
    expect(answer.body).toBe(body);
  });

  it('or will not take a stream, another one does, whatever the request', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, { name: 'alpha', origin: (request, response) => void request.pipe(response) });
    const joined = gateway.logged('agent connected');
    const refusing = await dial(`${gateway.gateway.url.replace('http', 'ws')}/connect`, {
      headers: { Authorization: `Bearer ${tokenFor('bravo')}` },
      yamux: { acceptBacklog: 0 },
    });
    onTestFinished(() => refusing.destroy());
    await joined;
    for (let count = 0; count < 4; count += 1) {
      expect((await ask({ port: gateway.port })).headers['x-served-by']).toBe('alpha');
      expect((await ask({ port: gateway.port, method: 'POST', body: 'hello' })).body).toBe('hello');
    }
  });

  it.each([
    ['POST', 'is sent to another one, for no session had taken it'],
    ['GET', 'is served by another one'],
  ])('and all its sessions with it, a %s %s', async (method) => {
    const gateway = await startGateway();
    const dying = await startAgent(gateway, { name: 'alpha', origin: () => {}, connections: SESSIONS });
    dying.relay.stall();
    const opened = signal();
    subscribe('yamux:stream:open', () => opened.tell());
    const answered = ask({ port: gateway.port, method });
    await opened.happened;
    const busy = signal();
    const origin: RequestListener = ({ headers }, response) => {
      if (headers.host === HOST) response.end('served');
      else busy.tell();
    };
    await startAgent(gateway, { name: 'bravo', origin, routes: [HOST, 'bravo.example'] });
    void ask({ port: gateway.port, host: 'bravo.example' }).catch(() => {}); // held, so that idle sessions go first
    await busy.happened;
    for (let left = SESSIONS; left > 0; left -= 1) {
      const gone = gateway.logged('agent gone');
      dying.relay.cutOldest();
      await gone;
    }
    expect(await answered).toMatchObject({ status: 200, body: 'served' });
  });

  it('such a request is tried once more, not for ever', async () => {
    const gateway = await startGateway();
    let tries = 0;
    const agents = ['alpha', 'bravo', 'charlie'].map((name) => {
      const asked = signal();
      const started = startAgent(gateway, {
        name,
        origin: () => {
          tries += 1;
          asked.tell();
        },
      });
      return { asked, started };
    });
    for (const { asked, started } of agents) {
      const { relay } = await started;
      void asked.happened.then(() => relay.cut(true));
    }
    const answer = await ask({ port: gateway.port });
    expect([answer.status, tries]).toEqual([502, 2]);
  });

  it.each([
    ['with a body too large to keep', { method: 'PUT', body: 'x'.repeat(65_537) }],
    ['that is not idempotent', { method: 'POST', headers: ['Content-Length', '0'] }],
  ])('a request %s is answered 502, and was sent once', async (_what, sent) => {
    const gateway = await startGateway();
    const asked = signal();
    let tries = 0;
    const count = (): void => {
      tries += 1;
      asked.tell();
    };
    const dying = await startAgent(gateway, { name: 'alpha', origin: count });
    const answered = ask({ port: gateway.port, ...sent });
    await asked.happened;
    await startAgent(gateway, { name: 'bravo', origin: count });
    dying.relay.cut(true);
    const answer = await answered;
    expect([answer.status, tries]).toEqual([502, 1]);
    expect(answer.headers['x-served-by']).toBe('alpha');
  });

  it('a request whose answer has begun is an error for its client, never a short success', async () => {
    const gateway = await startGateway();
    const dying = await startAgent(gateway, { origin: (_request, response) => void response.write('half') });
    const response = await askForHead({ port: gateway.port });
    await once(response, 'data');
    const cut = gateway.logged('served');
    dying.relay.cut(true);
    await expect(text(response)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await cut).toMatchObject({ agent: 'alpha', outcome: 'cut' });
  });
});
