import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { WindowBudget, type YamuxSession } from '@zishuo/yamux';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { dial } from '../src/dial.ts';
import { MessageBudget } from '../src/message-budget.ts';
import { acceptUpgrades } from '../src/upgrade.ts';
import type { UpgradeOptions } from '../src/upgrade-options.ts';
import { accepting, gate, statusOf } from './support/accepting.ts';
import { closeServers, exchange, httpServer, upgradeRequest } from './support/http-server.ts';
import { uncaughtBy } from './support/uncaught.ts';

afterEach(closeServers);

it('an invalid option of the sessions is found before the first session', () => {
  const server = createServer();
  const options = { path: '/', authenticate: () => true, onSession: () => {} };
  expect(() => acceptUpgrades(server, { ...options, yamux: { acceptBacklog: -1 } })).toThrow(RangeError);
  expect(server.listenerCount('upgrade')).toBe(0);
});

describe('an upgrade that is accepted', () => {
  it('becomes a session in the server role, and onSession gets the request and the identity', async () => {
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

  it('loses no bytes that came before authenticate answered', async () => {
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

  it('leaves none of our listeners on its socket', async () => {
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

  it('is answered without a subprotocol if the server knows none: an offered one may be a token', async () => {
    const { port } = await accepting();
    const socket = connect(port, '127.0.0.1');
    socket.write(upgradeRequest('/connect', { 'Sec-WebSocket-Protocol': 'bearer.secret' }));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect(statusOf(String(answer))).toBe(101);
    expect(String(answer)).not.toContain('secret');
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

  it('get 503 after pendingTimeout, and the signal of authenticate aborts', async () => {
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
  it('gets 404 if there is no other listener', async () => {
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

  it('gets one 404 if several acceptors share a server, and each accepts its own path', async () => {
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
  it('refuses new and waiting upgrades with 503, and sessions continue', async () => {
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

  it('also refuses an upgrade that authenticate has just accepted', async () => {
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

  it('makes sessions that end after it close with 1001', async () => {
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
  it('removes its listener from the server', async () => {
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
    [{ pendingTimeout: 0 }, 'Expected pendingTimeout to be a whole number of milliseconds from 1 to 2147483647, got 0'],
    [{ role: 'peer' as never }, `Expected role to be 'client' or 'server', got "peer"`],
    [
      { stream: { closeTimeout: 0 } },
      'Expected closeTimeout to be a whole number of milliseconds from 1 to 2147483647, got 0',
    ],
  ])('are checked at once: %j', async (options, message) => {
    const { server } = await httpServer();
    const good = { path: '/', authenticate: () => true, onSession: () => {} };
    expect(() => acceptUpgrades(server, { ...good, ...options })).toThrow(message);
    expect(server.listenerCount('upgrade')).toBe(0);
  });
});

describe('an onSession that throws', () => {
  it('is an uncaught exception, as in any listener, and the connection is terminated', async () => {
    const mistake = new Error('a mistake');
    const { url } = await accepting({
      onSession: () => {
        throw mistake;
      },
    });
    const { heard, result } = await uncaughtBy(() => once(new WebSocket(`${url}/connect`), 'close'));
    expect(heard).toEqual([mistake, 'uncaughtException']);
    expect(result[0]).toBe(1006);
  });
});

describe('an onRefused that throws', () => {
  it('is an uncaught exception, as in any listener, and the client gets its answer', async () => {
    const mistake = new Error('a mistake');
    const { url } = await accepting({
      authenticate: () => Promise.resolve(false),
      onRefused: () => {
        throw mistake;
      },
    });
    const { heard } = await uncaughtBy(() => expect(dial(`${url}/connect`)).rejects.toMatchObject({ status: 401 }));
    expect(heard).toEqual([mistake, 'uncaughtException']);
  });
});

describe('options for each client', () => {
  it('are requested at each upgrade, and apply to its session', async () => {
    const budgets = new Map(['a', 'b'].map((name) => [name, new WindowBudget(1_000)] as const));
    const messages = new MessageBudget(1_000);
    const asked: unknown[] = [];
    const sessions: YamuxSession[] = [];
    const { url } = await accepting({
      authenticate: (request) => request.headers.authorization,
      yamux: (identity, request) => {
        asked.push([identity, request.url]);
        return { windowBudget: budgets.get(String(identity)) };
      },
      stream: () => ({ messageBudget: messages }),
      onSession: (session) => sessions.push(session.on('error', () => {})),
    });
    for (const name of ['a', 'b']) {
      const session = await dial(`${url}/connect?${name}`, { headers: { authorization: name } });
      session.on('error', () => {}); // the other end is destroyed below
    }
    expect(asked).toEqual([
      ['a', '/connect?a'],
      ['b', '/connect?b'],
    ]);
    const stream = await (sessions[0] as YamuxSession).open();
    stream.destroy();
    await (sessions[0] as YamuxSession).ping();
    expect(messages.taken).toBeGreaterThan(0);
    for (const session of sessions) session.destroy();
  });

  it('from a function that throws are an uncaught exception, as in any listener, and the connection is terminated', async () => {
    const mistake = new Error('no options for this one');
    const { url } = await accepting({
      yamux: () => {
        throw mistake;
      },
    });
    const { heard } = await uncaughtBy(() => once(new WebSocket(`${url}/connect`), 'close'));
    expect(heard).toEqual([mistake, 'uncaughtException']);
  });
});
