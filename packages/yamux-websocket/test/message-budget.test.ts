import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../yamux/test/support/manual-clock.ts';
import { WebSocketByteStream } from '../src/byte-stream.ts';
import { MessageBudget } from '../src/message-budget.ts';
import { resolveStreamOptions } from '../src/options.ts';
import { FakeSocket } from './support/fake-socket.ts';

function member() {
  const told: string[] = [];
  return { told, hold: () => void told.push('hold'), release: () => void told.push('release') };
}

describe('a MessageBudget', () => {
  it('pauses all its streams when more than the messages of one second came, until enough time has passed', () => {
    const clock = new ManualClock();
    const budget = new MessageBudget(100, clock);
    const [one, other] = [member(), member()];
    budget.join(one);
    budget.join(other);
    budget.take(100);
    expect([one.told, budget.isUsedUp]).toEqual([[], false]);
    budget.take(50);
    expect([one.told, other.told, budget.isUsedUp]).toEqual([['hold'], ['hold'], true]);
    clock.advance(499);
    expect(one.told).toEqual(['hold']);
    clock.advance(1);
    expect([one.told, other.told, budget.isUsedUp]).toEqual([['hold', 'release'], ['hold', 'release'], false]);
  });

  it('counts messages that still come while it is used up, and waits for those too', () => {
    const clock = new ManualClock();
    const budget = new MessageBudget(100, clock);
    const one = member();
    budget.join(one);
    budget.take(150);
    budget.take(100);
    clock.advance(500);
    expect(one.told).toEqual(['hold']);
    clock.advance(1_000);
    expect(one.told).toEqual(['hold', 'release']);
    expect(budget.taken).toBe(250);
  });

  it("allows a burst of one second's messages at most, however long it was idle", () => {
    const clock = new ManualClock();
    const budget = new MessageBudget(100, clock);
    const one = member();
    budget.join(one);
    clock.advance(60_000);
    budget.take(101);
    expect(one.told).toEqual(['hold']);
  });

  it('pauses a stream that joins while it is used up, and forgets one that leaves', () => {
    const clock = new ManualClock();
    const budget = new MessageBudget(10, clock);
    const [one, late] = [member(), member()];
    budget.join(one);
    budget.take(20);
    budget.join(late);
    budget.leave(one);
    clock.advance(1_000);
    expect([one.told, late.told]).toEqual([['hold'], ['hold', 'release']]);
  });

  it('must be above 0, and may be Infinity', () => {
    expect(() => new MessageBudget(0)).toThrow(
      new RangeError('Expected a MessageBudget of more than 0 a second, got 0'),
    );
    expect(() => new MessageBudget(Number.NaN)).toThrow(RangeError);
    const endless = new MessageBudget(Number.POSITIVE_INFINITY);
    endless.take(1e12);
    expect(endless.isUsedUp).toBe(false);
  });
});

describe('a byte stream with a message budget', () => {
  function streamWith(budget: MessageBudget): { socket: FakeSocket; stream: WebSocketByteStream } {
    const socket = new FakeSocket();
    const stream = new WebSocketByteStream(socket, resolveStreamOptions({ messageBudget: budget }));
    stream.on('error', () => {}).resume();
    return { socket, stream };
  }

  it('is paused above it and resumed later, with nothing lost', async () => {
    const clock = new ManualClock();
    const { socket, stream } = streamWith(new MessageBudget(2, clock));
    const got: string[] = [];
    stream.on('data', (chunk) => got.push(String(chunk)));
    for (const text of ['a', 'b', 'c']) socket.listener.onMessage(Buffer.from(text));
    expect(socket.paused).toBe(true);
    clock.advance(500);
    expect(socket.paused).toBe(false);
    socket.listener.onMessage(Buffer.from('d'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(got.join('')).toBe('abcd');
  });

  it('counts an empty message, a ping and a pong as ten', () => {
    const clock = new ManualClock();
    const budget = new MessageBudget(1_000, clock);
    const { socket } = streamWith(budget);
    socket.listener.onMessage(Buffer.alloc(0));
    socket.listener.onLife?.();
    socket.listener.onMessage(Buffer.from('x'));
    expect(budget.taken).toBe(21);
  });

  it('stays paused for its reader when the budget allows more', () => {
    const clock = new ManualClock();
    const socket = new FakeSocket();
    const options = resolveStreamOptions({ messageBudget: new MessageBudget(1, clock), readPauseBytes: 1_000 });
    const stream = new WebSocketByteStream(socket, options);
    socket.listener.onMessage(Buffer.alloc(2_000));
    socket.listener.onMessage(Buffer.alloc(1));
    clock.advance(1_000);
    expect(socket.paused).toBe(true);
    stream.resume();
    stream.read();
    expect(socket.paused).toBe(false);
    stream.destroy();
  });
});

it('a peer that sends pings and reads no answers is terminated when more than maxBufferedBytes wait', () => {
  const socket = new FakeSocket();
  const stream = new WebSocketByteStream(socket, resolveStreamOptions({ maxBufferedBytes: 1_000 }));
  let code: unknown;
  stream.on('error', (error) => {
    code = (error as NodeJS.ErrnoException).code;
  });
  socket.bufferedAmount = 1_001;
  socket.listener.onLife?.();
  expect(socket.ends).toEqual(['terminate']);
  return new Promise<void>((resolve) =>
    stream.once('close', () => {
      expect(code).toBe('ERR_YAMUX_WEBSOCKET_BUFFER_FULL');
      resolve();
    }),
  );
});
