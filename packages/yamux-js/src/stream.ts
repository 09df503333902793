// What yamux-js calls a stream: one of @zishuo/yamux, and the methods that it has there.

import type { YamuxStream } from '@zishuo/yamux';

/** A Duplex, used as a `net.Socket` is. */
export interface Stream extends YamuxStream {
  /** Odd for streams that the client opened, even for the server's. */
  ID(): number;
  /** Ends this side, as end() does; what the peer still sends can be read. Called again it does nothing. */
  close(): void;
  /** Ends both sides at once, as destroy() does. */
  forceClose(): void;
}

interface StreamClass {
  readonly prototype: Stream;
  [Symbol.hasInstance](value: unknown): boolean;
}

const IS_STREAM: unique symbol = Symbol.for('@zishuo/yamux-js:stream');

function isStream(value: unknown): boolean {
  return typeof value === 'object' && value !== null && IS_STREAM in value;
}

/** For `instanceof`, and as a type. Streams are made by a session, and by nothing else. */
export const Stream: StreamClass = Object.defineProperty(
  function Stream(): never {
    throw new TypeError('Expected streams to be made by open() of a session, or by its peer, not by new Stream()');
  } as unknown as StreamClass,
  Symbol.hasInstance,
  { value: isStream },
);

/** Gives `stream` those methods. `closeTimeout`: ms after close() without a byte, 0 for no limit. */
export function asStream(stream: YamuxStream, closeTimeout: number): Stream {
  // Programs for yamux-js do not listen: of a stream that dies they hear nothing there.
  stream.on('error', () => {});
  const close = (): void => {
    if (stream.writableEnded) return;
    stream.end();
    if (closeTimeout > 0) stream.setTimeout(closeTimeout, () => stream.destroy());
  };
  return Object.defineProperties(stream, {
    [IS_STREAM]: { value: true },
    ID: method(() => stream.id),
    close: method(close),
    forceClose: method(() => void stream.destroy()),
  }) as Stream;
}

/** As a method of a class is: programs may put another in its place. */
function method(value: () => unknown): PropertyDescriptor {
  return { value, writable: true, configurable: true };
}
