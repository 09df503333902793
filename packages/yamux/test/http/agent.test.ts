import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { type Duplex, PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import type tls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { httpAgent, type SourceOfRequest, type StreamSource, serveHttp } from '../../src/http.ts';
import type { SessionOptions, YamuxSession } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { closed, sessionPair } from '../support/pairs.ts';

const cleanUps: Array<() => void> = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
  await settle();
});

/** `a` asks, and `b` serves what `answer` does. */
function scene(
  answer: http.RequestListener = (request, response) => response.end(request.url),
  options: SessionOptions = {},
): { a: YamuxSession; b: YamuxSession; web: http.Server } {
  const sessions = sessionPair(options);
  const web = http.createServer(answer);
  for (const session of [sessions.a, sessions.b]) session.on('error', () => {});
  serveHttp(web, sessions.b);
  cleanUps.push(() => {
    sessions.a.destroy();
    sessions.b.destroy();
    web.close();
  });
  return { ...sessions, web };
}

function agentOf(source: StreamSource | SourceOfRequest, options?: http.AgentOptions): http.Agent {
  const agent = httpAgent(source, options);
  cleanUps.push(() => agent.destroy());
  return agent;
}

async function answerOf(request: http.ClientRequest): Promise<string> {
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return text(response);
}

function ask(agent: http.Agent, options: http.RequestOptions = {}): Promise<string> {
  return answerOf(http.get({ host: 'inside', path: '/asked', agent, ...options }));
}

/** Opens by a promise alone, as a pool does. */
const onlyOpens = (session: YamuxSession): StreamSource => ({ open: (options) => session.open(options) });

describe.each([
  ['a session', (session: YamuxSession) => session],
  ['what has only open()', onlyOpens],
  ['a function that gives a session', (session: YamuxSession) => () => session],
  ['a function that gives a stream', (session: YamuxSession) => () => session.connect()],
  ['a function that promises what has only open()', (session: YamuxSession) => async () => onlyOpens(session)],
  [
    'a function that promises a stream',
    (session: YamuxSession) =>
      ({ signal }) =>
        session.open({ signal }),
  ],
] as ReadonlyArray<readonly [string, (session: YamuxSession) => StreamSource | SourceOfRequest]>)(
  '%s',
  (_, sourceOn) => {
    test('is asked over, with bodies in both directions', async () => {
      const { a } = scene((request, response) => request.pipe(response));
      const agent = agentOf(sourceOn(a));
      const body = 'x'.repeat(700_000);
      const bodies = [body, '', 'short'].map((sent) => {
        const request = http.request({ host: 'inside', method: 'POST', agent });
        request.end(sent);
        return answerOf(request);
      });
      expect(await Promise.all(bodies)).toEqual([body, '', 'short']);
      await settle();
      expect(a.streamCount).toBe(0);
    });

    test('maxSockets, maxTotalSockets: no more streams at a time', async () => {
      for (const limit of [{ maxSockets: 2 }, { maxTotalSockets: 2 }, { maxSockets: 2, keepAlive: true }]) {
        let most = 0;
        const { a, b } = scene((_request, response) => {
          most = Math.max(most, b.streamCount);
          setImmediate(() => response.end());
        });
        const agent = agentOf(sourceOn(a), limit);
        await Promise.all(Array.from({ length: 12 }, () => ask(agent)));
        expect(most, JSON.stringify(limit)).toBe(2);
      }
    });

    test('keepAlive: requests in a row have one stream, which destroy() of the agent ends', async () => {
      const { a } = scene();
      const agent = agentOf(sourceOn(a), { keepAlive: true });
      for (let requests = 0; requests < 4; requests += 1) expect(await ask(agent)).toBe('/asked');
      expect(a.streamCount).toBe(1);
      agent.destroy();
      await settle();
      expect(a.streamCount).toBe(0);
    });

    test('when the session dies, every request fails, those in the queue of the agent too', async () => {
      const { a, b, web } = scene(() => {});
      const agent = agentOf(sourceOn(a), { maxSockets: 1, keepAlive: true });
      const errors = Array.from({ length: 5 }, async () => {
        const [error] = (await once(http.get({ host: 'inside', agent }), 'error')) as [NodeJS.ErrnoException];
        return error.code;
      });
      await once(web, 'request');
      b.destroy();
      const [first, ...others] = await Promise.all(errors);
      expect(first).toMatch(/^ERR_YAMUX_|^ECONNRESET$/);
      expect(others).toEqual(Array(4).fill('ERR_YAMUX_SESSION_CLOSED'));
    });

    test('"timeout" comes while the stream waits to be opened, by the option of the agent and of the request', async () => {
      const { a, b } = scene(() => {}, { maxUnacknowledged: 1 });
      b.removeAllListeners('stream');
      (await a.open()).on('error', () => {});
      for (const [ofAgent, ofRequest] of [
        [{ timeout: 5 }, {}],
        [{}, { timeout: 5 }],
      ]) {
        const request = http.get({ host: 'inside', agent: agentOf(sourceOn(a), ofAgent), ...ofRequest });
        request.on('error', () => {});
        await once(request, 'timeout');
        request.destroy();
      }
      await settle();
      expect(a.stats().waitingOpens).toBe(0);
    });

    test('requests that are destroyed or aborted before they have a stream take their opens back', async () => {
      const { a, b } = scene(() => {}, { maxUnacknowledged: 1 });
      b.removeAllListeners('stream');
      (await a.open()).on('error', () => {});
      const agent = agentOf(sourceOn(a));
      const abort = new AbortController();
      const closes = Array.from({ length: 100 }, (_, index) => {
        const request = http.get({ host: 'inside', agent, ...(index % 2 === 0 && { signal: abort.signal }) });
        request.on('error', () => {});
        if (index % 4 === 1) request.destroy();
        if (index % 4 === 3) setImmediate(() => request.destroy());
        return closed(request);
      });
      await settle();
      abort.abort();
      await Promise.all(closes);
      await settle();
      expect(a.stats().waitingOpens).toBe(0);
      expect(agent.sockets).toEqual({});
    });

    test('an upgraded socket is the stream', async () => {
      const { a, web } = scene();
      web.on('upgrade', (_request, socket: Duplex) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
        socket.pipe(socket);
      });
      const headers = { Connection: 'Upgrade', Upgrade: 'echo' };
      const request = http.get({ host: 'inside', agent: agentOf(sourceOn(a)), headers });
      const [, socket] = (await once(request, 'upgrade')) as [http.IncomingMessage, Duplex];
      socket.end('there and back');
      expect(await text(socket)).toBe('there and back');
    });
  },
);

describe('https', () => {
  /** A key that both know, so that no certificate has to lie about. */
  const psk = Buffer.alloc(32, 1);
  const shared = { ciphers: 'PSK', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  const ours = { ...shared, pskCallback: () => ({ psk, identity: 'near' }), checkServerIdentity: () => undefined };

  test.each([
    ['a session', (session: YamuxSession) => session],
    ['what has only open()', onlyOpens],
  ] as ReadonlyArray<readonly [string, (session: YamuxSession) => StreamSource]>)(
    'the agent of %s does TLS in the stream when https asks, and none when http does',
    async (_, sourceOn) => {
      const { a, b, web } = scene();
      const agent = agentOf(sourceOn(a), ours as http.AgentOptions);
      expect(await ask(agent)).toBe('/asked');
      web.close();
      const secure = https.createServer({ ...shared, pskCallback: () => psk }, (request, response) => {
        response.end(`${request.headers.host} ${(request.socket as tls.TLSSocket).encrypted}`);
      });
      cleanUps.push(() => secure.close());
      serveHttp(secure, b);
      expect(await answerOf(https.get({ host: 'inside', agent }))).toBe('inside true');
      expect(await answerOf(https.get('https://inside/', { agent }))).toBe('inside true');
      await settle();
      expect(a.streamCount).toBe(0);
    },
  );

  test('connections of http and https are never exchanged', async () => {
    const agent = agentOf(() => new Promise<Duplex>(() => {}));
    for (const get of [http.get, https.get]) get({ host: 'inside', agent }).on('error', () => {});
    const names = Object.keys(agent.sockets);
    expect(names).toHaveLength(2);
    expect(names[0]).toBe(new http.Agent().getName({ host: 'inside', port: 80 }));
  });

  test('a request that is destroyed before its stream is there is over', async () => {
    const { a, b } = scene(() => {}, { maxUnacknowledged: 1 });
    b.removeAllListeners('stream');
    (await a.open()).on('error', () => {});
    const agent = agentOf(a);
    const closes = Array.from({ length: 50 }, () => {
      const request = https.get({ host: 'inside', agent }).on('error', () => {});
      setImmediate(() => request.destroy());
      return closed(request);
    });
    await Promise.all(closes);
    await settle();
    expect([a.stats().waitingOpens, agent.sockets]).toEqual([0, {}]);
  });
});

describe('a function of the request', () => {
  test('sees what was asked, its protocol, and a signal', async () => {
    const { a } = scene();
    const seen: unknown[] = [];
    const agent = agentOf(({ host, port, protocol, signal }) => {
      seen.push([host, port, protocol, signal.aborted]);
      return a;
    });
    await ask(agent, { port: 8080 });
    await closed(https.get({ host: 'secure', agent }).on('error', () => {}));
    expect(seen).toEqual([
      ['inside', 8080, 'http:', false],
      ['secure', 80, 'https:', false],
    ]);
  });

  test('its signal aborts when the request is given up', async () => {
    let signal: AbortSignal | undefined;
    const agent = agentOf((request) => {
      signal = request.signal;
      return new Promise<Duplex>(() => {});
    });
    const request = http.get({ host: 'inside', agent }).on('error', () => {});
    await once(request, 'socket');
    expect(signal?.aborted).toBe(false);
    request.destroy();
    await closed(request);
    expect(signal?.aborted).toBe(true);
  });

  test('a stream that comes after the request is gone is destroyed', async () => {
    let give: ((stream: Duplex) => void) | undefined;
    const agent = agentOf(() => new Promise<Duplex>((resolve) => (give = resolve)));
    const request = http.get({ host: 'inside', agent }).on('error', () => {});
    await once(request, 'socket');
    request.destroy();
    const late = new PassThrough();
    give?.(late);
    await once(late, 'close');
    expect(late.destroyed).toBe(true);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('no way');
      },
      'no way',
    ],
    ['rejects', () => Promise.reject(new Error('no way')), 'no way'],
    ['gives nothing', () => undefined, 'Expected a session, a pool or a Duplex for the request, got undefined'],
    ['promises a number', async () => 1, 'Expected a session, a pool or a Duplex for the request, got number'],
    ['gives what is over', () => new PassThrough().destroy(new Error('no way')), 'no way'],
    ['opens nothing', () => ({ open: async () => null }), 'Expected open() to resolve to a Duplex, got null'],
  ])('one that %s fails the request with the reason', async (_, source, message) => {
    const request = http.get({ host: 'inside', agent: agentOf(source as unknown as SourceOfRequest) });
    const [error] = (await once(request, 'error')) as [Error];
    expect(error.message).toBe(message);
  });
});

test('a pool is given the signal where it has its options', async () => {
  const { a } = scene();
  const calls: unknown[] = [];
  const pool = {
    openStream: async (routing: undefined, options: { signal: AbortSignal }) => {
      calls.push([routing, options.signal.aborted]);
      return { stream: await a.open(options) };
    },
  };
  expect(await ask(agentOf(pool))).toBe('/asked');
  expect(calls).toEqual([[undefined, false]]);
});

test.each([[undefined], [null], [{}], ['http://inside']])('httpAgent(%s) throws TypeError', (source) => {
  expect(() => httpAgent(source as unknown as StreamSource)).toThrow(
    /^Expected source to be a session, a pool or a function of the request, got/,
  );
});
