import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { UpgradeRefusedError } from '../src/errors.ts';
import { keepConnected, type Reconnector } from '../src/reconnect.ts';
import type { DialAttempt, KeepConnectedOptions } from '../src/reconnect-options.ts';
import { socketClosed } from '../src/session.ts';
import { gateway, keep, stopKeepers } from './support/gateway.ts';
import { httpServer } from './support/http-server.ts';

afterEach(stopKeepers);

describe('keepConnected', () => {
  it('hands over a session, and a new one when it is lost', async () => {
    const { url, ...far } = await gateway();
    const { keeper, clock, session, pause } = keep([url]);
    const first = await session(1);
    expect(keeper.session).toBe(first);
    (await far.session(1)).destroy();
    const { delay, error, url: next } = await pause(1);
    expect([delay, next]).toEqual([125, url]);
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_YAMUX/) });
    expect(keeper.session).toBeUndefined();
    clock.advance(125);
    const second = await session(2);
    expect(keeper.session).toBe(second);
    expect(first.state).toBe('closed');
    expect(clock.pending).toBe(0);
  });

  it('pauses longer after each failure, and briefly again after a session that lasted', async () => {
    const { url, ...far } = await gateway((attempt) => (attempt < 4 ? new UpgradeRefusedError(500) : undefined));
    const { clock, retries, session, pause } = keep([url]);
    for (const number of [1, 2, 3]) clock.advance((await pause(number)).delay);
    await session(1);
    (await far.session(1)).destroy();
    clock.advance((await pause(4)).delay);
    await session(2);
    clock.advance(10_000);
    (await far.session(2)).destroy();
    await pause(5);
    expect(retries.map(({ delay }) => delay)).toEqual([125, 250, 500, 1_000, 125]);
  });

  it('takes the URLs in turn', async () => {
    const refusing = await gateway(() => new UpgradeRefusedError(503));
    const { url } = await gateway();
    const { clock, session, pause, served } = keep([refusing.url, url]);
    const { delay, url: next } = await pause(1);
    expect(next).toBe(url);
    clock.advance(delay);
    await session(1);
    expect(served).toEqual([url]);
  });

  it('dials a new session as soon as the gateway sends GoAway, while the old session continues', async () => {
    const [old, other] = [await gateway(), await gateway()];
    const { keeper, clock, session, pause, served } = keep([old.url, other.url]);
    const first = await session(1);
    first.on('stream', (stream) => stream.resume().end('served to the end'));
    const far = await old.session(1);
    const running = await far.open();
    running.end();
    await once(running, 'acknowledged');
    clock.advance(10_000);
    void far.goAway();
    const { delay, url, error } = await pause(1);
    expect([delay, url, error]).toEqual([2_500, other.url, undefined]);
    expect(keeper.session).toBeUndefined();
    clock.advance(delay);
    expect(keeper.session).not.toBe(await session(2));
    expect(served).toEqual([old.url, other.url]);
    expect(first.state).not.toBe('closed');
    expect(await text(running)).toBe('served to the end');
  });

  it('does not dial again when a replaced session ends', async () => {
    const [old, other] = [await gateway(), await gateway()];
    const { clock, session, pause, retries } = keep([old.url, other.url]);
    const first = await session(1);
    const far = await old.session(1);
    void far.goAway();
    clock.advance((await pause(1)).delay);
    await session(2);
    void far.close();
    await once(first, 'close');
    await new Promise((resolve) => setImmediate(resolve));
    expect(retries).toHaveLength(1);
    expect([old.attempts.length, other.attempts.length]).toEqual([1, 1]);
  });

  it.each([1001, 1012])('takes one short pause after close code %i', async (code) => {
    const far = await gateway();
    const { clock, session, pause } = keep([far.url]);
    await session(1);
    clock.advance(10_000);
    (await far.session(1)).on('error', () => {});
    far.close(code);
    expect((await pause(1)).delay).toBe(2_500);
  });

  it('pauses longer for a gateway that sends GoAway after each dial', async () => {
    const far = await gateway();
    const { clock, session, pause, retries } = keep([far.url], { backoff: { goAwayJitter: 0 } });
    for (const number of [1, 2, 3]) {
      await session(number);
      void (await far.session(number)).goAway();
      clock.advance((await pause(number)).delay);
    }
    expect(retries.map(({ delay }) => delay)).toEqual([125, 250, 500]);
  });

  it('dials rarely after GoAway(1), a protocol violation, which comes before the close code', async () => {
    const far = await gateway();
    const { session, pause } = keep([far.url]);
    const near = await session(1);
    await far.session(1);
    far.receive(Buffer.from('GET / HTTP/1.1\r\n')); // as if we had sent it
    const { delay, error } = await pause(1);
    expect(near.errored).toBe(error);
    expect(error).toMatchObject({ code: 'ERR_YAMUX_GO_AWAY', goAwayCode: 1 });
    expect(delay).toBe(15_000);
  });

  it('waits for the Retry-After of a refusal, and then for its own pause', async () => {
    const { url } = await gateway((attempt) =>
      attempt === 1 ? new UpgradeRefusedError(503, { headers: { 'retry-after': '7' } }) : undefined,
    );
    const { clock, session, pause } = keep([url]);
    const { delay, error } = await pause(1);
    expect(delay).toBe(7_125);
    expect(error).toMatchObject({ status: 503 });
    clock.advance(delay);
    await session(1);
  });

  it('waits as long as the reason of close code 1013 says', async () => {
    const far = await gateway();
    const { session, pause } = keep([far.url]);
    await session(1);
    await far.session(1);
    far.close(1013, '20');
    expect((await pause(1)).delay).toBe(20_000 + 7_500);
  });

  it('stops at once during a pause', async () => {
    const far = await gateway(() => new UpgradeRefusedError(503));
    const { keeper, clock, pause } = keep([far.url]);
    await pause(1);
    expect(await keeper.stop()).toBeUndefined();
    expect(clock.pending).toBe(0);
    clock.advance(60_000);
    expect(far.attempts).toHaveLength(1);
  });

  it('stops while it dials, and hands over no session', async () => {
    const http = await httpServer();
    http.server.on('upgrade', () => {}); // never answers
    const stop = new AbortController();
    const { keeper, served } = keep([`${http.url}/`], { signal: stop.signal });
    await once(http.server, 'upgrade');
    stop.abort();
    expect(await keeper.stopped).toBeUndefined();
    expect(served).toEqual([]);
  });

  it('stops while it waits for dial options that never come', async () => {
    const far = await gateway();
    let asked: (attempt: DialAttempt) => void = () => {};
    const attempt = new Promise<DialAttempt>((resolve) => {
      asked = resolve;
    });
    const dial = (given: DialAttempt): Promise<never> => {
      asked(given);
      return new Promise(() => {});
    };
    const { keeper } = keep([far.url], { dial });
    const { signal } = await attempt;
    expect(await keeper.stop()).toBeUndefined();
    expect([signal.aborted, far.attempts.length]).toEqual([true, 0]);
  });

  it('gives up when the dial function returns invalid options', async () => {
    const far = await gateway();
    const { keeper } = keep([far.url], { dial: () => ({ header: {} }) as object });
    expect(await keeper.stopped).toEqual(new TypeError("Unknown option 'header' of dial; did you mean 'headers'?"));
    expect(far.attempts).toEqual([]);
  });

  it('never dials with a signal that has aborted', async () => {
    const far = await gateway();
    expect(await keep([far.url], { signal: AbortSignal.abort() }).keeper.stopped).toBeUndefined();
    expect(far.attempts).toEqual([]);
  });

  it.each([
    ['stop()', (keeper: Reconnector) => void keeper.stop()],
    ['its signal', (_keeper: Reconnector, signal: AbortController) => signal.abort()],
  ])(
    'is stopped gracefully by %s: open streams are served to their end, then the WebSocket closes with 1000',
    async (_by, stop) => {
      const far = await gateway();
      const controller = new AbortController();
      const { keeper, session } = keep([far.url], { signal: controller.signal });
      const near = await session(1);
      const peer = await far.session(1);
      let finish = (): void => {};
      near.on('stream', (stream) => {
        stream.resume().write('begun, ');
        finish = () => stream.end('finished');
      });
      const running = await peer.open();
      running.end();
      await once(running, 'readable');
      stop(keeper, controller);
      await once(peer, 'goAway');
      finish();
      expect(await text(running)).toBe('begun, finished');
      expect(await keeper.stopped).toBeUndefined();
      expect(near.state).toBe('closed');
      expect(await socketClosed(near)).toEqual({ code: 1000, reason: '', wasClean: true, initiator: 'local' });
      expect(far.attempts).toHaveLength(1);
    },
  );

  it('destroys the sessions that are open after stopTimeout', async () => {
    const far = await gateway();
    const { keeper, session, clock } = keep([far.url], { stopTimeout: 5_000 });
    const near = await session(1);
    near.on('stream', (stream) => stream.on('error', () => {}));
    const running = await (await far.session(1)).open();
    running.on('error', () => {});
    await once(running, 'acknowledged');
    const stopped = keeper.stop();
    clock.advance(5_000);
    expect(await stopped).toBeUndefined();
    expect(near.state).toBe('closed');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])(
    'continues after an onSession that %s: the error is uncaught, and the session is destroyed',
    async (_what, onSession) => {
      const { url } = await gateway();
      const uncaught = new Promise((resolve) => process.prependOnceListener('uncaughtException', resolve));
      const others = process.listeners('uncaughtException').slice(1);
      for (const other of others) process.off('uncaughtException', other);
      const { pause } = keep([url], { onSession });
      expect(await uncaught).toMatchObject({ message: 'mine' });
      for (const other of others) process.on('uncaughtException', other);
      expect((await pause(1)).url).toBe(url);
    },
  );

  it.each([
    [{ urls: [] }, 'Expected at least one URL in urls, got none'],
    [{ urls: 'gateway.example' }, 'Expected urls to be ws: or wss: URLs, got "gateway.example"'],
    [{ urls: 'ftp://gateway.example' }, 'Expected urls to be ws: or wss: URLs'],
    [{ urls: 'ws://gateway.example', onSession: undefined }, 'Expected onSession to be a function, got undefined'],
    [{ urls: 'ws://gateway.example', stopTimeout: -1 }, 'Expected stopTimeout to be'],
    [{ urls: 'ws://gateway.example', backoff: { base: 0 } }, 'Expected backoff.base to be'],
  ])('refuses %o', (options, message) => {
    expect(() => keepConnected({ onSession: () => {}, ...options } as KeepConnectedOptions)).toThrow(message);
  });
});
