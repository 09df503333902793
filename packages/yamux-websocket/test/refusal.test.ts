import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dial } from '../src/dial.ts';
import { UpgradeRefusedError } from '../src/errors.ts';
import { accepting, gate, statusOf } from './support/accepting.ts';
import { closeServers, exchange, upgradeRequest } from './support/http-server.ts';

afterEach(closeServers);

describe('an upgrade that is refused', () => {
  it('gets a whole HTTP response, then the end of the connection', async () => {
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

  it('gets its whole response, and the connection ends at once, even with unread bytes', async () => {
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

  it('is cut off when more than 1 MiB comes behind it', async () => {
    const { server, port } = await accepting({ authenticate: () => false });
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {}); // the reset behind the last byte
    vi.useFakeTimers({ toFake: ['setTimeout'] }); // it does not take a timer
    try {
      socket.write(upgradeRequest('/connect'));
      await once(socket.resume(), 'end');
      const [serverSocket] = await accepted;
      const closed = once(serverSocket, 'close');
      await new Promise((resolve) => socket.write(Buffer.alloc(1_048_576), resolve));
      await expect.poll(() => serverSocket.bytesRead).toBeGreaterThan(1_048_576);
      expect(serverSocket.destroyed).toBe(false);
      socket.write('x');
      await closed;
    } finally {
      vi.useRealTimers();
      socket.destroy();
    }
  });

  it.each([false, null, undefined])('by an authenticate that returns %s gets 401', async (identity) => {
    const { url, sessions } = await accepting({ authenticate: async () => identity });
    await expect(dial(`${url}/connect`)).rejects.toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    });
    expect(sessions).toEqual([]);
  });

  it('by an authenticate that fails gets 500 without the cause, which onRefused gets', async () => {
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

  it('with a header that cannot be sent gets 500, and a process warning reports the header', async () => {
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
