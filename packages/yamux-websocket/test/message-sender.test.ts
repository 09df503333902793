import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MessageSender } from '../src/message-sender.ts';
import { resolveStreamOptions, type WebSocketStreamOptions } from '../src/options.ts';
import { FakeSocket } from './support/fake-socket.ts';
import { settled } from './support/observe.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  expect(vi.getTimerCount()).toBeLessThanOrEqual(1); // the one stall timer, never more
  vi.useRealTimers();
});

function setUp(options: WebSocketStreamOptions = {}) {
  const socket = new FakeSocket();
  const log: string[] = [];
  const sender = new MessageSender(socket, resolveStreamOptions(options), () => log.push('stalled'));
  const send = (...texts: string[]): void => {
    sender.send(
      texts.map((text) => Buffer.from(text)),
      (error) => log.push(error ? `failed: ${error.message}` : 'done'),
    );
  };
  return { socket, sender, send, log };
}

describe('a batch', () => {
  it('is sent in one system call: the carrier is corked while the messages are queued', () => {
    const calls: string[] = [];
    const carrier = { cork: () => calls.push('cork'), uncork: () => calls.push('uncork') };
    const { socket, send } = setUp({ maxMessageBytes: 4, carrier });
    socket.send = (message) => void calls.push(String(message));
    send('abcdef');
    expect(calls).toEqual(['cork', 'abcd', 'ef', 'uncork']);
  });

  it('leaves the carrier uncorked when the socket throws', () => {
    const calls: string[] = [];
    const carrier = { cork: () => calls.push('cork'), uncork: () => calls.push('uncork') };
    const { socket, send } = setUp({ carrier });
    socket.send = () => {
      throw new Error('not open');
    };
    expect(() => send('abc')).toThrow('not open');
    expect(calls).toEqual(['cork', 'uncork']);
  });

  it('completes once, when its last message is sent', () => {
    const { socket, send, log } = setUp({ maxMessageBytes: 4 });
    send('abcdefghij');
    expect(socket.sent).toEqual(['abcd', 'efgh', 'ij']);
    socket.taken(false);
    socket.taken(false);
    expect(log).toEqual([]);
    socket.taken();
    expect(log).toEqual(['done']);
  });

  it('completes only after all messages are queued, even if a driver calls back synchronously', () => {
    const { socket, sender, log } = setUp({ maxMessageBytes: 1 });
    socket.send = (message, sent) => {
      socket.sent.push(message.toString());
      sent();
    };
    sender.send([Buffer.from('ab')], () => log.push(`done after ${socket.sent.length}`));
    expect(log).toEqual(['done after 2']);
  });

  it('waits while the socket still buffers more than highWaterMark', () => {
    const { socket, send, log } = setUp({ highWaterMark: 10 });
    socket.bufferedAmount = 11;
    send('a');
    socket.taken();
    vi.advanceTimersByTime(100);
    expect(log).toEqual([]);
    socket.bufferedAmount = 10;
    vi.advanceTimersByTime(5);
    expect(log).toEqual(['done']);
  });

  it('waits for a socket that is still connecting', () => {
    const { socket, sender, send, log } = setUp({ writeTimeout: 1 });
    socket.state = 'connecting';
    send('a', 'b');
    vi.advanceTimersByTime(1000);
    expect(socket.sent).toEqual([]);
    socket.state = 'open';
    sender.opened();
    socket.taken();
    expect([socket.sent, log]).toEqual([['ab'], ['done']]);
  });

  it('fails once, and so does every later one, when the sender is closed', async () => {
    const { socket, sender, send, log } = setUp();
    send('a');
    sender.close(new Error('over'));
    await settled();
    socket.taken();
    send('b');
    await settled();
    expect(log).toEqual(['failed: over', 'failed: over']);
    expect(socket.sent).toEqual(['a']);
  });

  it('that could not be sent completes only when the socket reports why it ended', () => {
    const { socket, send, log } = setUp();
    send('a');
    socket.failed(new Error('not open'));
    expect(log).toEqual([]);
  });
});

describe('a stall', () => {
  it('is reported when the socket sent nothing for writeTimeout', () => {
    const { send, log } = setUp({ writeTimeout: 1000 });
    send('a');
    vi.advanceTimersByTime(999);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(['stalled']);
  });

  it('is timed from the last message that was sent, of this batch or an earlier one', () => {
    const { socket, send, log } = setUp({ writeTimeout: 1000, maxMessageBytes: 1 });
    send('a');
    vi.advanceTimersByTime(600);
    socket.taken();
    vi.advanceTimersByTime(300);
    send('bc');
    vi.advanceTimersByTime(600);
    socket.taken(false);
    vi.advanceTimersByTime(999);
    expect(log).toEqual(['done']);
    vi.advanceTimersByTime(1);
    expect(log).toEqual(['done', 'stalled']);
  });

  it('is not reported while the buffered amount falls', () => {
    const { socket, send, log } = setUp({ writeTimeout: 1000 });
    socket.bufferedAmount = 500;
    send('a');
    socket.bufferedAmount = 400;
    vi.advanceTimersByTime(1500);
    expect(log).toEqual([]);
    vi.advanceTimersByTime(500);
    expect(log).toEqual(['stalled']);
  });

  it('is not reported while bytes are sent, even if a message takes longer than writeTimeout', () => {
    const { socket, send, log } = setUp({ writeTimeout: 1000 });
    socket.onSend = () => {
      socket.bufferedAmount = 500;
      socket.backlog = 1000;
    };
    send('a');
    for (let left = 900; left >= 500; left -= 100) {
      socket.backlog = left;
      vi.advanceTimersByTime(1000);
    }
    expect(log).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(log).toEqual(['stalled']);
  });

  it('is judged by the backlog of this batch, not of an earlier one', () => {
    const { socket, send, log } = setUp({ writeTimeout: 1000 });
    send('a');
    socket.taken();
    socket.onSend = () => {
      socket.bufferedAmount = 500;
    };
    vi.advanceTimersByTime(500);
    send('b');
    socket.bufferedAmount = 400;
    vi.advanceTimersByTime(1400);
    expect(log).toEqual(['done']);
  });

  it('is not reported if this process was suspended: the socket gets one more interval', () => {
    const { send, log } = setUp({ writeTimeout: 1000 });
    send('a');
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 3_600_000);
    vi.advanceTimersByTime(1000);
    expect(log).toEqual([]);
    vi.restoreAllMocks();
  });

  it('is not reported while there is nothing to send, or with writeTimeout 0', () => {
    const idle = setUp({ writeTimeout: 1000 });
    idle.send('a');
    idle.socket.taken();
    const off = setUp({ writeTimeout: 0 });
    off.send('a');
    vi.advanceTimersByTime(1_000_000);
    expect([idle.log, off.log]).toEqual([['done'], []]);
  });
});
