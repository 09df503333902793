import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { YamuxSession } from '@zishuo/yamux';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { dial } from '../src/dial.ts';
import { UpgradeRefusedError } from '../src/errors.ts';
import { acceptUpgrades, type UpgradeAcceptor, type UpgradeOptions } from '../src/upgrade.ts';
import { closeServers, exchange, httpServer, type TestServer, upgradeRequest } from './support/http-server.ts';

afterEach(closeServers);

interface Accepting extends TestServer {
  readonly acceptor: UpgradeAcceptor;
  readonly sessions: YamuxSession[];
  readonly refusals: UpgradeRefusedError[];
  /** Tells 'session' and 'refused'. */
  readonly events: EventEmitter;
}

async function accepting(options: Partial<UpgradeOptions<unknown>> = {}): Promise<Accepting> {
  const http = await httpServer();
  const sessions: YamuxSession[] = [];
  const refusals: UpgradeRefusedError[] = [];
  const events = new EventEmitter();
  const acceptor = acceptUpgrades<unknown>(http.server, {
    path: '/connect',
    authenticate: () => true,
    onSession: (session) => {
      session.on('error', () => {});
      sessions.push(session);
      events.emit('session', session);
    },
    onRefused: (refusal) => {
      refusals.push(refusal);
      events.emit('refused', refusal);
    },
    ...options,
  });
  return { ...http, acceptor, sessions, refusals, events };
}

function statusOf(answer: string): number {
  return Number(answer.slice('HTTP/1.1 '.length, 'HTTP/1.1 101'.length));
}

/** Answers when it is told to. */
function gate() {
  const waiting: { readonly signal: AbortSignal; readonly answer: (identity: unknown) => void }[] = [];
  const events = new EventEmitter();
  const authenticate = (_request: IncomingMessage, signal: AbortSignal): Promise<unknown> =>
    new Promise((resolve) => {
      waiting.push({ signal, answer: resolve });
      events.emit('waiting');
    });
  const arrived = async (count: number): Promise<void> => {
    while (waiting.length < count) await once(events, 'waiting');
  };
  return { waiting, authenticate, arrived };
}

describe('an upgrade that is accepted', () => {
  it('becomes a session in the server role, handed over with the request and the identity', async () => {
    const onSession = vi.fn();
    const { url } = await accepting({ authenticate: async () => ({ agent: 'a1' }), onSession });
    const session = await dial(`${url}/connect?x=1`);
    expect(onSession).toHaveBeenCalledOnce();
    const [accepted, request, identity] = onSession.mock.calls[0] as [YamuxSession, IncomingMessage, unknown];
    expect([accepted.role, request.url, identity]).toEqual(['server', '/connect?x=1', { agent: 'a1' }]);
    const stream = await accepted.open();
    expect(stream.remoteAddress).toBe('127.0.0.1');
    stream.resume().end();
    (await session.accept()).resume().end();
    await session.close();
  });

  it('loses nothing that came before authenticate answered', async () => {
    const { waiting, authenticate, arrived } = gate();
    const { port, events } = await accepting({ authenticate });
    const socket = connect(port, '127.0.0.1');
    const openStream1 = [0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0];
    socket.write(upgradeRequest('/connect'));
    await arrived(1);
    socket.write(Buffer.from([0x82, 0x80 | 12, 0, 0, 0, 0, ...openStream1]), () => waiting[0]?.answer(true));
    const [session] = (await once(events, 'session')) as [YamuxSession];
    const stream = await session.accept();
    expect(stream.id).toBe(1);
    socket.destroy();
    await once(stream, 'error');
  });

  it.each([
    ['while authenticate is pending', true],
    ['though authenticate answers at once', false],
  ])('loses nothing that came in one packet with the request, %s', async (_when, isPending) => {
    const { waiting, authenticate, arrived } = gate();
    const { port, events } = await accepting(isPending ? { authenticate } : {});
    const accepted = once(events, 'session') as Promise<[YamuxSession]>;
    const socket = connect(port, '127.0.0.1');
    const frames = Buffer.from([0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 2, 104, 105]);
    const message = Buffer.concat([Buffer.from([0x82, 0x80 | frames.length, 0, 0, 0, 0]), frames]);
    socket.write(Buffer.concat([Buffer.from(upgradeRequest('/connect')), message]));
    if (isPending) {
      await arrived(1);
      await new Promise((resolve) => setImmediate(resolve));
      waiting[0]?.answer(true);
    }
    const [session] = await accepted;
    const stream = await session.accept();
    stream.on('error', () => {});
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('hi');
    socket.destroy();
  });

  it('keeps no listener of ours on its socket', async () => {
    const plain = await httpServer();
    new WebSocketServer({ server: plain.server });
    const ours = await accepting();
    const counts: number[][] = [];
    for (const { server, url } of [plain, ours]) {
      const accepted = once(server, 'upgrade') as Promise<[IncomingMessage]>;
      const socket = new WebSocket(`${url}/connect`);
      await once(socket, 'open');
      const [request] = await accepted;
      counts.push(['end', 'error'].map((event) => request.socket.listenerCount(event)));
      socket.terminate();
    }
    expect(counts[1]).toEqual(counts[0]);
  });

  it('is answered with the first of our subprotocols that the client offers', async () => {
    const { url } = await accepting({ subprotocols: ['yamux.v2', 'yamux.v1'] });
    const socket = new WebSocket(`${url}/connect`, ['other', 'yamux.v1', 'yamux.v2']);
    await once(socket, 'open');
    expect(socket.protocol).toBe('yamux.v2');
    socket.close();
  });

  it('is answered with no subprotocol where we know none: what the client offers may be a token', async () => {
    const { port } = await accepting();
    const socket = connect(port, '127.0.0.1');
    socket.write(upgradeRequest('/connect', { 'Sec-WebSocket-Protocol': 'bearer.secret' }));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(statusOf(String(answer))).toBe(101);
    expect(String(answer)).not.toContain('secret');
  });
});

describe('an upgrade that is refused', () => {
  it('gets a whole HTTP response, and then the end of the connection', async () => {
    const { port, refusals } = await accepting({
      authenticate: () => {
        throw new UpgradeRefusedError(403, { headers: { 'x-why': ['a', 'b'] }, body: 'no such tenant é' });
      },
    });
    expect(await exchange(port, upgradeRequest('/connect'))).toBe(
      [
        'HTTP/1.1 403 Forbidden',
        'content-type: text/plain; charset=utf-8',
        'x-why: a',
        'x-why: b',
        'content-length: 17',
        'connection: close',
        '',
        'no such tenant é',
      ].join('\r\n'),
    );
    expect(refusals.map((refusal) => refusal.status)).toEqual([403]);
  });

  it('gets its response whole, and is gone at once, though it sent more than anybody read', async () => {
    const { waiting, authenticate, arrived } = gate();
    const { server, port } = await accepting({ authenticate });
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = connect(port, '127.0.0.1');
    const answer = socket.toArray();
    socket.write(upgradeRequest('/connect'));
    await arrived(1);
    await new Promise((resolve) => socket.write(Buffer.alloc(200_000), resolve));
    vi.useFakeTimers({ toFake: ['setTimeout'] }); // it does not take a timer to close it
    const [serverSocket] = await accepted;
    const closed = once(serverSocket, 'close');
    waiting[0]?.answer(false);
    expect(Buffer.concat(await answer).toString()).toMatch(
      /^HTTP\/1\.1 401 Unauthorized\r\n(.+\r\n)+\r\nUnauthorized\n$/,
    );
    await closed;
    vi.useRealTimers();
  });

  it('is cut off when it does not end its side within five seconds', async () => {
    const { server, port } = await accepting({ authenticate: () => false });
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.write(upgradeRequest('/connect'));
      await once(socket.resume(), 'end');
      const [serverSocket] = await accepted;
      const cut = once(serverSocket, 'close');
      vi.advanceTimersByTime(4_999);
      expect(serverSocket.destroyed).toBe(false);
      vi.advanceTimersByTime(1);
      await cut;
      socket.destroy();
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([false, null, undefined])('by an authenticate that answers %s gets 401', async (identity) => {
    const { url, sessions } = await accepting({ authenticate: async () => identity });
    await expect(dial(`${url}/connect`)).rejects.toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
    expect(sessions).toEqual([]);
  });

  it('by an authenticate that fails gets 500, without a word of the cause, which onRefused is told', async () => {
    const cause = new Error('database password is hunter2');
    const { port, refusals } = await accepting({ authenticate: () => Promise.reject(cause) });
    const answer = await exchange(port, upgradeRequest('/connect'));
    expect(answer).toMatch(/^HTTP\/1\.1 500 .*\r\n\r\nInternal Server Error\n$/s);
    expect(refusals[0]?.cause).toBe(cause);
  });

  it('by an authenticate that fails is a process warning if there is no onRefused', async () => {
    const cause = new Error('database is down');
    const { port } = await accepting({ authenticate: () => Promise.reject(cause), onRefused: undefined });
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    await exchange(port, upgradeRequest('/connect'));
    expect(warn.mock.calls).toEqual([[cause]]);
    warn.mockRestore();
  });

  it('with a header that cannot be sent gets 500, and the mistake is a process warning', async () => {
    const { port } = await accepting({
      authenticate: () => Promise.reject(new UpgradeRefusedError(403, { headers: { 'x-why': 'a\r\nb' } })),
    });
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    expect(statusOf(await exchange(port, upgradeRequest('/connect')))).toBe(500);
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });

  it('by checkOrigin gets 403, and is not authenticated', async () => {
    const authenticate = vi.fn(() => true);
    const { url } = await accepting({
      authenticate,
      checkOrigin: (origin) => origin === undefined || origin === 'https://us',
    });
    await expect(dial(`${url}/connect`, { ws: { origin: 'https://them' } })).rejects.toMatchObject({ status: 403 });
    expect(authenticate).not.toHaveBeenCalled();
    await (await dial(`${url}/connect`, { ws: { origin: 'https://us' } })).close();
    await (await dial(`${url}/connect`)).close();
  });

  it('for offering no known subprotocol gets 400, unless that is allowed', async () => {
    const strict = await accepting({ subprotocols: ['yamux.v1'] });
    await expect(dial(`${strict.url}/connect`)).rejects.toMatchObject({
      status: 400,
      body: 'Expected one of the subprotocols yamux.v1\n',
    });
    const lenient = await accepting({ subprotocols: ['yamux.v1'], requireSubprotocol: false });
    await (await dial(`${lenient.url}/connect`)).close();
  });

  it('for a malformed handshake gets 400', async () => {
    const { port, refusals } = await accepting();
    const answer = await exchange(port, upgradeRequest('/connect', { 'Sec-WebSocket-Version': '7' }));
    expect(statusOf(answer)).toBe(400);
    expect(answer).toContain('sec-websocket-version: 13\r\n');
    expect(refusals.length).toBe(1);
  });
});

describe('upgrades that wait', () => {
  it('are at most maxPending; one more gets 503 and Retry-After, and a place is free again after an answer', async () => {
    const { waiting, authenticate, arrived } = gate();
    const { url, acceptor } = await accepting({ authenticate, maxPending: 2, retryAfter: 1500 });
    const dials = [dial(`${url}/connect`), dial(`${url}/connect`)];
    await arrived(2);
    expect(acceptor.pending).toBe(2);
    await expect(dial(`${url}/connect`)).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    for (const { answer } of waiting) answer(true);
    for (const session of await Promise.all(dials)) await session.close();
    expect(acceptor.pending).toBe(0);
  });

  it('get 503 after pendingTimeout, and authenticate is told', async () => {
    const { waiting, authenticate } = gate();
    const { url, acceptor } = await accepting({ authenticate, pendingTimeout: 20 });
    await expect(dial(`${url}/connect`)).rejects.toMatchObject({ status: 503, body: 'timed out\n' });
    expect([waiting[0]?.signal.aborted, acceptor.pending]).toEqual([true, 0]);
  });

  it.each(['end', 'resetAndDestroy'] as const)('are forgotten when the client leaves by %s', async (leave) => {
    const { waiting, authenticate, arrived } = gate();
    const { port, acceptor, sessions, events } = await accepting({ authenticate });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(upgradeRequest('/connect'));
    await arrived(1);
    socket[leave]();
    await once(events, 'refused');
    waiting[0]?.answer(true);
    expect([waiting[0]?.signal.aborted, acceptor.pending, sessions]).toEqual([true, 0, []]);
    socket.destroy();
  });
});

describe('a path that is not ours', () => {
  it('gets 404 where nobody else listens', async () => {
    const { port } = await accepting();
    expect(statusOf(await exchange(port, upgradeRequest('/other')))).toBe(404);
  });

  it('is left to another listener', async () => {
    const { server, port, refusals } = await accepting();
    server.on('upgrade', (request, socket) => {
      if (request.url === '/other') socket.end('HTTP/1.1 418 mine\r\n\r\n');
    });
    expect(statusOf(await exchange(port, upgradeRequest('/other')))).toBe(418);
    expect(refusals).toEqual([]);
  });

  it('gets one 404 where several acceptors share a server, and each takes its own', async () => {
    const { server, port, url, refusals } = await accepting();
    const onRefused = vi.fn();
    acceptUpgrades(server, { path: '/second', authenticate: () => true, onSession: () => {}, onRefused });
    expect(statusOf(await exchange(port, upgradeRequest('/third')))).toBe(404);
    expect(refusals.length + onRefused.mock.calls.length).toBe(1);
    await (await dial(`${url}/connect`)).close();
    await (await dial(`${url}/second`)).close();
  });
});

describe('drain()', () => {
  it('refuses new upgrades and those that wait with 503, and sessions go on', async () => {
    const { waiting, authenticate, arrived } = gate();
    const { url, acceptor, sessions } = await accepting({ authenticate });
    const first = dial(`${url}/connect`);
    await arrived(1);
    waiting[0]?.answer(true);
    const session = await first;
    const second = dial(`${url}/connect`);
    second.catch(() => {});
    await arrived(2);

    acceptor.drain();
    await expect(second).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '5' }, body: 'draining\n' });
    await expect(dial(`${url}/connect`)).rejects.toMatchObject({ status: 503 });
    expect(acceptor.draining).toBe(true);
    (await sessions[0]?.open())?.resume().end();
    (await session.accept()).resume().end();
    await session.close();
  });

  it('refuses also an upgrade that authenticate has just let through', async () => {
    const http = await httpServer();
    const onSession = vi.fn();
    const acceptor = acceptUpgrades(http.server, {
      path: '/connect',
      authenticate: () => {
        queueMicrotask(() => acceptor.drain());
        return true;
      },
      onSession,
    });
    expect(statusOf(await exchange(http.port, upgradeRequest('/connect')))).toBe(503);
    expect(onSession).not.toHaveBeenCalled();
  });

  it('makes sessions that end from now on say 1001 to their peers', async () => {
    const { url, acceptor, sessions } = await accepting();
    const socket = new WebSocket(`${url}/connect`);
    const closed = once(socket, 'close');
    await once(socket, 'open');
    acceptor.drain();
    await sessions[0]?.close();
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([1001, 'draining']);
  });
});

describe('close()', () => {
  it('leaves the server', async () => {
    const { server, acceptor } = await accepting();
    acceptor.close();
    expect(server.listenerCount('upgrade')).toBe(0);
  });
});

describe('the options of acceptUpgrades()', () => {
  it.each<[Partial<UpgradeOptions<unknown>>, string]>([
    [{ path: 'connect' }, `Expected path to be a string that starts with '/', got "connect"`],
    [{ authenticate: undefined as never }, 'Expected authenticate to be a function, got undefined'],
    [{ maxPending: 0 }, 'Expected maxPending to be a whole number from 1 to Infinity, got 0'],
    [{ pendingTimeout: 0 }, 'Expected pendingTimeout to be a whole number from 1 to 2147483647, got 0'],
    [{ role: 'peer' as never }, `Expected role to be 'client' or 'server', got "peer"`],
    [{ stream: { closeTimeout: 0 } }, 'Expected closeTimeout to be a whole number from 1 to 2147483647, got 0'],
  ])('are checked at once: %j', async (options, message) => {
    const { server } = await httpServer();
    const good = { path: '/', authenticate: () => true, onSession: () => {} };
    expect(() => acceptUpgrades(server, { ...good, ...options })).toThrow(message);
    expect(server.listenerCount('upgrade')).toBe(0);
  });
});

describe('an onSession that throws', () => {
  it('is an uncaught exception, as from any listener, and the connection does not stay', async () => {
    const mistake = new Error('a mistake');
    const { url } = await accepting({
      onSession: () => {
        throw mistake;
      },
    });
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const uncaught = once(process, 'uncaughtException');
      const socket = new WebSocket(`${url}/connect`);
      const [code] = (await once(socket, 'close')) as [number];
      expect(await uncaught).toEqual([mistake, 'uncaughtException']);
      expect(code).toBe(1006);
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });
});
