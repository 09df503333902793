import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Targets } from '../../src/agent/targets.ts';
import { TunnelAgent } from '../../src/agent/tunnel-agent.ts';
import { bodyDigest, bodyStream, digestOf } from '../../src/demo/body.ts';
import { TunnelGateway } from '../../src/gateway/tunnel-gateway.ts';
import { ask, askForHead, askRaw } from '../support/http.ts';
import { freePort, HOST, signal, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

const MIB = 1024 * 1024;

function errorCode(body: string): unknown {
  return (JSON.parse(body) as { error: { code: unknown } }).error.code;
}

describe('a request through the tunnel', () => {
  it('reaches the origin as it was sent, with what the gateway knows of the client, and its answer comes back', async () => {
    const gateway = await startGateway();
    let seen: IncomingMessage | undefined;
    await startAgent(gateway, {
      origin: (request, response) => {
        seen = request;
        response.writeHead(201, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Connection', 'X-Hop', 'X-Hop', '1']);
        request.pipe(response);
      },
    });
    const answer = await ask({
      port: gateway.port,
      method: 'POST',
      path: '/a?b=c',
      body: 'hello',
      headers: [
        'X-Twice',
        '1',
        'X-Twice',
        '2',
        'Connection',
        'X-Mine',
        'X-Mine',
        '1',
        'X-Forwarded-For',
        '6.6.6.6',
        'X-Request-Id',
        'mine',
      ],
    });
    expect([answer.status, answer.body]).toEqual([201, 'hello']);
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(answer.headers['x-hop']).toBeUndefined();
    expect(answer.headers['x-served-by']).toBe('alpha');
    expect(seen).toMatchObject({ method: 'POST', url: '/a?b=c' });
    expect(seen?.headers).toMatchObject({
      host: HOST,
      'x-twice': '1, 2',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': HOST,
      'x-request-id': answer.headers['x-request-id'],
    });
    expect(seen?.headers['x-mine']).toBeUndefined();
  });

  it('keeps large bodies whole, both ways at once, many at a time', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, { origin: (request, response) => void request.pipe(response) });
    await Promise.all(
      [0, 1, 300_000, 2 * MIB, 5 * MIB].map(async (size, seed) => {
        const response = await askForHead({ port: gateway.port, method: 'POST', body: bodyStream(seed, size) });
        expect(await digestOf(response)).toEqual({ bytes: size, sha256: bodyDigest(seed, size) });
      }),
    );
  });

  it('is not slowed by another client of the same session that reads nothing', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, {
      origin: (request, response) => void bodyStream(1, request.url === '/stalled' ? 24 * MIB : 2 * MIB).pipe(response),
    });
    const stalled = await askForHead({ port: gateway.port, path: '/stalled' });
    expect(await digestOf(await askForHead({ port: gateway.port }))).toMatchObject({ bytes: 2 * MIB });
    expect(stalled.readableEnded).toBe(false);
    expect(await digestOf(stalled)).toEqual({ bytes: 24 * MIB, sha256: bodyDigest(1, 24 * MIB) });
  });

  it('is aborted at the origin when its client leaves', async () => {
    const gateway = await startGateway();
    const aborted = signal();
    await startAgent(gateway, {
      origin: (_request, response) => {
        response.write('half');
        response.on('close', aborted.tell);
      },
    });
    const response = await askForHead({ port: gateway.port });
    await once(response, 'data');
    response.destroy();
    await aborted.happened;
  });

  it('is an error for its client when the origin breaks off in the middle of the answer', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, {
      origin: (_request, response) => void response.write('half', () => response.destroy()),
    });
    await expect(ask({ port: gateway.port })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('hears 100 Continue from the origin, and from nobody else', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, {
      origin: (_request, response) => response.end('not asked'),
      expectContinue: (request, response) => {
        if (request.url === '/refused') response.writeHead(417).end();
        else {
          response.writeContinue();
          request.pipe(response);
        }
      },
    });
    const request = (path: string): ClientRequest => {
      const headers = { Host: HOST, Expect: '100-continue', 'Content-Length': 5 };
      return httpRequest({ port: gateway.port, host: '127.0.0.1', method: 'POST', path, headers, agent: false });
    };
    const refused = request('/refused');
    let continued = 0;
    refused.on('continue', () => (continued += 1)).on('error', () => {}); // its connection is of no use any more
    const [answer] = (await once(refused, 'response')) as [IncomingMessage];
    refused.destroy();
    expect([answer.statusCode, continued]).toEqual([417, 0]);

    const taken = request('/taken');
    const answered = once(taken, 'response');
    await once(taken, 'continue');
    taken.end('hello');
    expect(await text(((await answered) as [IncomingMessage])[0])).toBe('hello');
  });

  it('carries events one by one, and trailers', async () => {
    const gateway = await startGateway();
    let events: ServerResponse | undefined;
    await startAgent(gateway, {
      origin: (_request, response) => {
        events = response;
        response.writeHead(200, { 'Content-Type': 'text/event-stream', Trailer: 'X-Sum' });
        response.flushHeaders();
      },
    });
    const response = await askForHead({ port: gateway.port });
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      const next = once(response, 'data');
      events?.write(event);
      expect(String((await next)[0])).toBe(event);
    }
    events?.addTrailers({ 'X-Sum': '42' });
    events?.end();
    await once(response.resume(), 'end');
    expect(response.trailers['x-sum']).toBe('42');
  });
});

describe('a request that cannot be served', () => {
  it('is answered 404 for a host that no agent has ever served', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, { origin: (_request, response) => response.end() });
    const answer = await ask({ port: gateway.port, host: 'other.example' });
    expect([answer.status, errorCode(answer.body)]).toEqual([404, 'ERR_TUNNEL_UNKNOWN_ROUTE']);
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it('is answered 503 with Retry-After when the agents of its host are gone', async () => {
    const gateway = await startGateway();
    const { agent } = await startAgent(gateway, { origin: (_request, response) => response.end() });
    const gone = gateway.logged('agent gone');
    await agent.close();
    await gone;
    const answer = await ask({ port: gateway.port });
    expect([answer.status, errorCode(answer.body)]).toEqual([503, 'ERR_YAMUX_POOL_NO_MATCHING_SESSION']);
    expect(answer.headers['retry-after']).toBe('1');
  });

  it('is answered 502 when nobody listens at the target', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, { origin: `http://127.0.0.1:${await freePort()}` });
    const answer = await ask({ port: gateway.port, method: 'POST', body: 'hello' });
    expect([answer.status, errorCode(answer.body)]).toEqual([502, 'ECONNREFUSED']);
    expect(answer.headers['x-served-by']).toBe('alpha');
  });

  it('is answered 502 when the agent has no target for the host', async () => {
    const gateway = await startGateway();
    const agent = new TunnelAgent({
      gateways: [`${gateway.gateway.url.replace('http', 'ws')}/connect`],
      token: tokenFor('alpha', ['b.example']),
      targets: Targets.parse(['other.example=http://127.0.0.1:1']),
      log: () => {},
    });
    onTestFinished(() => agent.close(0));
    const joined = gateway.logged('agent connected');
    await agent.connected;
    await joined;
    const answer = await ask({ port: gateway.port, host: 'b.example' });
    expect([answer.status, errorCode(answer.body)]).toEqual([502, 'ERR_TUNNEL_NO_TARGET']);
  });

  it('is answered 504 when no byte comes for the idle timeout, and aborted at the origin', async () => {
    const gateway = await startGateway({ idleTimeout: 1_000 });
    const aborted = signal();
    await startAgent(gateway, { origin: (_request, response) => void response.on('close', aborted.tell) });
    const answer = await ask({ port: gateway.port });
    expect([answer.status, errorCode(answer.body)]).toEqual([504, 'ERR_TUNNEL_IDLE_TIMEOUT']);
    await aborted.happened;
  });
});

it('a gateway with a secret that is too short does not start', async () => {
  await expect(TunnelGateway.listen({ secret: 'short', log: () => {} })).rejects.toThrow(RangeError);
});

describe('a drain', () => {
  it('of an agent lets its requests finish and keeps new ones away from it, until it is resumed', async () => {
    const gateway = await startGateway();
    let asked = signal<ServerResponse>();
    await startAgent(gateway, { name: 'alpha', origin: (_request, response) => asked.tell(response) });
    const running = ask({ port: gateway.port });
    const held = await asked.happened;
    expect(gateway.gateway.drain('alpha', 'test')).toBe(1);
    const refused = await ask({ port: gateway.port });
    expect([refused.status, errorCode(refused.body)]).toEqual([503, 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION']);
    await startAgent(gateway, { name: 'bravo', origin: (_request, response) => response.end('bravo') });
    expect((await ask({ port: gateway.port })).body).toBe('bravo');
    held.end('alpha');
    expect((await running).body).toBe('alpha');

    asked = signal();
    expect(gateway.gateway.resume('alpha')).toBe(1);
    expect(gateway.gateway.drain('bravo', 'test')).toBe(1);
    const again = ask({ port: gateway.port });
    (await asked.happened).end('alpha again');
    expect((await again).body).toBe('alpha again');
  });

  it('of the gateway refuses new agents, serves what runs, and ends', async () => {
    const gateway = await startGateway();
    const asked = signal<ServerResponse>();
    await startAgent(gateway, { origin: (_request, response) => asked.tell(response) });
    const running = askRaw(gateway.port, `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`); // would keep its connection
    const held = await asked.happened;
    const late = connect({ port: gateway.port, host: '127.0.0.1' }); // before the port is given up
    late.write('GET /connect HTTP/1.1\r\n'); // Node 26 closes one that has said nothing as idle
    await ask({ port: gateway.port, host: 'nobody.example' }); // the gateway has read that
    const closed = gateway.gateway.close();
    late.end(
      `Host: a\r\nAuthorization: Bearer ${tokenFor('late')}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
    );
    expect(await text(late)).toMatch(/^HTTP\/1.1 503 /);
    held.end('served');
    expect(await running).toMatch(/^HTTP\/1.1 200 .*Connection: close.*served$/s);
    await closed;
    await expect(ask({ port: gateway.port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('of the gateway cuts what still runs at its deadline', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, { origin: (_request, response) => void response.write('for ever') });
    const response = await askForHead({ port: gateway.port });
    const closed = gateway.gateway.close(0);
    await expect(text(response)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await closed;
  });
});
