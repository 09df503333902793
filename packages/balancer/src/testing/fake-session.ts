// A session without a wire, for tests of pools: it does what the test says.
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import type { PoolableSession } from '../poolable-session.ts';

/** A stream that takes what is written, has nothing to read, and is acknowledged when the test says so. */
export class FakeStream extends Duplex {
  /** What `acknowledge()` was called for. */
  acknowledged = false;

  /** Its peer answers: `acknowledged` and the event of that name. */
  acknowledge(): void {
    this.acknowledged = true;
    this.emit('acknowledged');
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    callback();
  }
}

/** An `open()` that waits for the test. */
export interface FakeOpen {
  /** What the pool gave it. */
  readonly signal: AbortSignal | undefined;
  /** With a {@link FakeStream} unless another stream is given; returns it. */
  resolve(stream?: Duplex): FakeStream;
  /** The session refuses. */
  reject(error: Error): void;
}

/** Each `open()` waits until the test answers it, or is answered at once after `answers()` or `refuses()`. */
export class FakeSession extends EventEmitter implements PoolableSession {
  /** `'closed'` after its end. */
  state = 'open';
  /** Milliseconds; set it to what the pool should see. */
  rtt: number | undefined;
  /** Milliseconds; set it to what the pool should see. */
  stalledFor: number | undefined;
  /** The calls of `open()` that wait or waited for the test. */
  readonly opens: FakeOpen[] = [];
  /** The streams that `answers()` made. */
  readonly streams: FakeStream[] = [];
  /** How often `close()` was called. */
  closeCalls = 0;
  /** What `destroy()` was called with. */
  destroyedWith: Error | undefined;
  /** What it ended with. */
  errored: Error | undefined;
  #answer: (() => Duplex) | undefined;

  /** What the pool calls. */
  open(options?: { signal?: AbortSignal | undefined }): Promise<Duplex> {
    if (this.#answer !== undefined) return Promise.resolve().then(this.#answer);
    return new Promise((resolve, reject) => {
      this.opens.push({
        signal: options?.signal,
        resolve: (stream = new FakeStream()) => {
          resolve(stream);
          return stream as FakeStream;
        },
        reject,
      });
    });
  }

  /** From now on each open is answered at once. */
  answers(answer?: () => Duplex): this {
    this.#answer =
      answer ??
      (() => {
        const stream = new FakeStream();
        this.streams.push(stream);
        return stream;
      });
    return this;
  }

  /** From now on each open is refused at once. */
  refuses(error: Error): this {
    return this.answers(() => {
      throw error;
    });
  }

  /** A call of `open()` by its number, from 0. */
  openCall(index: number): FakeOpen {
    const open = this.opens[index];
    if (open === undefined) throw new Error(`open() was called ${this.opens.length} times, not ${index + 1}`);
    return open;
  }

  /** Ends at once, and is counted. */
  close(): Promise<void> {
    this.closeCalls += 1;
    this.end();
    return Promise.resolve();
  }

  /** The session ends, as a YamuxSession does. */
  end(error?: Error): void {
    this.state = 'closed';
    this.errored = error;
    if (error !== undefined) this.emit('error', error);
    this.emit('close');
  }

  /** Ends at once with `error`. */
  destroy(error?: Error): void {
    this.destroyedWith = error;
    this.end(error);
  }

  /** How many listeners are on the events that a pool listens to. */
  get watchers(): number {
    return this.listenerCount('close') + this.listenerCount('error') + this.listenerCount('goAway');
  }
}

/** A session that can be pinged; each ping waits until the test answers it. */
export class PingableSession extends FakeSession {
  /** Each call of `ping()`, to be answered by the test. */
  readonly pings: { pong(): void; fail(): void }[] = [];

  /** What the pool calls. */
  ping(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.pings.push({ pong: () => resolve(1), fail: () => reject(new Error('no pong')) });
    });
  }
}

/**
 * Until everything that is queued now has run: ticks, promises, and the events of destroyed streams.
 */
export function queueDrained(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
