import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { ByteStream } from '../src/implementation.ts';
import { COUNT, ECHO, END, serve, WEIGH } from '../src/serve.ts';

/** A served stream: receives bytes, and records the answers. */
function served(): { receive(...bytes: number[]): void; end(): void; readonly written: Buffer[] } {
  const events = new EventEmitter();
  const written: Buffer[] = [];
  const stream: ByteStream = {
    write(chunk) {
      written.push(Buffer.from(chunk));
      events.emit('written');
      return true;
    },
    end: () => written.push(Buffer.from('ended')),
    on: (event: string, listener: (chunk: Uint8Array) => void) => events.on(event, listener),
  };
  serve(stream);
  return {
    receive: (...bytes) => void events.emit('data', Buffer.of(...bytes)),
    end: () => void events.emit('end'),
    written,
  };
}

test('a stream that requests an echo gets all its bytes back', () => {
  const { receive, written } = served();
  receive(ECHO, 1, 2);
  receive(END);
  expect(Buffer.concat(written)).toEqual(Buffer.of(ECHO, 1, 2, END));
});

test('a stream that requests a count gets the number of bytes before each END, including earlier ENDs', () => {
  const { receive, written } = served();
  receive(COUNT, COUNT);
  receive(COUNT, END);
  receive(COUNT);
  receive(END);
  expect(written.map((receipt) => receipt.readDoubleBE())).toEqual([3, 5]);
});

test('a stream that requests the memory gets the bytes of the process', async () => {
  const { receive, written } = served();
  receive(WEIGH);
  await expect.poll(() => written.length).toBe(1);
  expect(written[0]?.readDoubleBE()).toBeGreaterThan(1_000_000);
});

test('a stream that its peer ends is ended', () => {
  const { end, written } = served();
  end();
  expect(written).toEqual([Buffer.from('ended')]);
});

test('a stream with an unknown request is an error: bytes were lost or invented', () => {
  expect(() => served().receive(0)).toThrow('Expected a stream to begin with what it asks for, got byte 0');
});
