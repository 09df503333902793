// A socket at once for a stream that comes later, as net.connect() gives one: `connecting` until the stream is there, and then its bytes, ends
// and errors, in both directions.

import type { Duplex } from 'node:stream';
import { systemClock } from '../clock.ts';
import { SocketShape } from '../duplex/socket-shape.ts';
import { YamuxError } from '../errors.ts';

type Callback = (error?: Error | null) => void;

/** As large as what the frames copy in any case. */
const COPY_BELOW = 4096;

const ADDRESSES = ['remoteAddress', 'remotePort', 'remoteFamily', 'localAddress', 'localPort', 'localFamily'] as const;

/** The addresses of the stream, as soon as there is one. */
class Route {
  stream: Partial<Record<string, unknown>> | undefined;

  static {
    for (const name of ADDRESSES) {
      Object.defineProperty(Route.prototype, name, {
        get(this: Route) {
          return this.stream?.[name];
        },
      });
    }
  }
}

export class AwaitedSocket extends SocketShape {
  readonly #route: Route;
  readonly #opening: AbortController;
  #stream: Duplex | undefined;
  /** A write or an end, while there is no stream. */
  #waiting: (() => void) | undefined;
  #writeCallback: Callback | undefined;
  /** Bytes of the write under way. */
  #writeLength = 0;
  /** With which the stream has called it back; it is told when the socket is destroyed. */
  #writeError: Error | undefined;
  #isInputWhole = false;
  #isReset = false;

  /** `opening` is aborted if the socket is destroyed before the stream is there; a stream that comes after all is destroyed. */
  constructor(stream: Promise<Duplex>, opening: AbortController) {
    const route = new Route();
    // As net.connect() has it: our side ends after the peer's.
    super({ clock: systemClock, transport: route }, false);
    this.#route = route;
    this.#opening = opening;
    // In a tick of their own, so that what a listener throws is an uncaught exception and not a rejection.
    stream.then(
      (opened) => process.nextTick(() => this.#attach(opened)),
      (error) => process.nextTick(() => this.destroy(error)),
    );
  }

  override get connecting(): boolean {
    return this.#stream === undefined && !this.destroyed;
  }

  /** Bytes of payload received; 0 if the stream does not count them. */
  get bytesRead(): number {
    return (this.#route.stream?.bytesRead as number | undefined) ?? 0;
  }

  /** Bytes of payload sent; 0 if the stream does not count them. */
  get bytesWritten(): number {
    return (this.#route.stream?.bytesWritten as number | undefined) ?? 0;
  }

  override resetAndDestroy(): this {
    this.#isReset = true;
    return this.destroy();
  }

  #attach(stream: Duplex): void {
    stream.on('error', (error) => this.#end(error));
    if (this.destroyed) stream.destroy();
    // Of what has happened to it already no event tells.
    else if (stream.destroyed) this.destroy(stream.errored ?? undefined);
    if (this.destroyed) return;
    this.#stream = stream;
    // When it ends is this socket's to say, behind all that was written.
    stream.allowHalfOpen = true;
    this.#route.stream = stream as object;
    stream.on('close', () => {
      if (!stream.readableEnded || !stream.writableFinished) this.#end();
    });
    if (stream.readableEnded) this.#receiveEnd();
    else stream.on('end', () => this.#receiveEnd()).on('data', (chunk: Buffer) => this.#receive(stream, chunk));
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
    this.emit('connect');
    this.emit('ready');
  }

  override _read(): void {
    this.#stream?.resume();
  }

  #receive(stream: Duplex, chunk: Buffer): void {
    this.touchIdle();
    if (!this.push(chunk)) stream.pause();
  }

  #receiveEnd(): void {
    this.#isInputWhole = true;
    this.push(null);
    // An input that holds nothing ends although nobody reads, as on every socket.
    if (this.readableLength === 0) this.read(0);
  }

  // A small write that the stream has room for is copied and done, as a kernel does: so the next one is with the stream at once, too, and a destroy()
  // behind it forgets nothing. A larger one, whose copy costs, stays the writer's, and is done when the stream says so.

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: Callback): void {
    this.#writeCallback = callback;
    this.#writeLength = chunk.length;
    const stream = this.#stream;
    if (stream === undefined) this.#waiting = () => this._write(chunk, encoding, callback);
    else if (isSmall(stream, chunk.length)) this.#writeCopy(stream, Buffer.from(chunk));
    else stream.write(chunk, this.#written);
  }

  override _writev(chunks: Array<{ chunk: Buffer; encoding: BufferEncoding }>, callback: Callback): void {
    this.#writeCallback = callback;
    this.#writeLength = chunks.reduce((bytes, { chunk }) => bytes + chunk.length, 0);
    const stream = this.#stream;
    if (stream === undefined) {
      this.#waiting = () => this._writev(chunks, callback);
      return;
    }
    if (isSmall(stream, this.#writeLength)) {
      this.#writeCopy(stream, Buffer.concat(chunks.map(({ chunk }) => chunk)));
      return;
    }
    const last = chunks.length - 1;
    stream.cork();
    for (let index = 0; index < last; index += 1) stream.write(chunks[index]?.chunk);
    stream.write(chunks[last]?.chunk, this.#written);
    stream.uncork();
  }

  #writeCopy(stream: Duplex, copy: Buffer): void {
    stream.write(copy);
    this.#written();
  }

  override _final(callback: Callback): void {
    this.#writeCallback = callback;
    if (this.#stream?.writableFinished) this.#callBack(null);
    else if (this.#stream) this.#stream.end(this.#written);
    else this.#waiting = () => this._final(callback);
  }

  /** By the stream: its own callback is the one that says that the memory may be used again. */
  readonly #written = (error?: Error | null): void => {
    this.touchIdle();
    if (error && !this.destroyed) {
      this.#writeError = error;
      this.#end(error);
    } else {
      this.#callBack(error ?? null);
    }
  };

  #callBack(error: Error | null): void {
    const callback = this.#writeCallback;
    this.#writeCallback = undefined;
    this.#writeLength = 0;
    callback?.(error);
  }

  /** The stream is gone. So is the socket, as soon as what was received whole is read. */
  #end(error?: Error): void {
    if (this.#isInputWhole && !this.readableEnded) this.once('end', () => this.destroy(error));
    else this.destroy(error);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.stopIdle();
    this.#waiting = undefined;
    const stream = this.#stream;
    if (stream === undefined) {
      this.#opening.abort();
      this.#callBack(error ?? notSent());
    } else if (this.#writeError) {
      this.#callBack(this.#writeError);
    } else if (!stream.destroyed) {
      if (this.#isReset && 'resetAndDestroy' in stream) (stream as SocketShape).resetAndDestroy();
      else this.#leave(stream, error);
    }
    // The stream tells what becomes of a write under way: also when the stream is gone, its transport may still read from the writer's memory.
    this.tellDestroyed(error, callback);
  }

  #leave(stream: Duplex, error: Error | null): void {
    // Where all that was written is with the stream, it may have the end too, which Node would forget.
    if (!error && this.writableEnded && this.writableLength === this.#writeLength) stream.end();
    stream.destroy(error ?? undefined);
  }
}

function isSmall(stream: Duplex, bytes: number): boolean {
  return bytes < COPY_BELOW && stream.writable && stream.writableLength + bytes < stream.writableHighWaterMark;
}

function notSent(): YamuxError {
  const message = 'The socket was destroyed before this was sent';
  return new YamuxError('ERR_YAMUX_STREAM_DESTROYED', message, { scope: 'stream', origin: 'local' });
}
