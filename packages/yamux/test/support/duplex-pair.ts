// Two Duplex ends in memory: what one writes the other reads, in order, each chunk in a later turn of the event loop, as a socket does.

import { Duplex } from 'node:stream';

export interface PairOptions {
  /** Bytes that an end takes before its reader has read them. */
  readonly capacity?: number;
}

/** Grows with everything that moves between any two ends: settle() waits until it stands still. */
let activity = 0;

type Callback = (error?: Error | null) => void;

export class PairEnd extends Duplex {
  other!: PairEnd;
  #waiting: { chunk: Buffer; callback: Callback } | undefined;
  #isStalled = false;
  /** Chunks as they were handed over by the other end. */
  readonly taken: Buffer[] = [];

  constructor(capacity: number) {
    super({ readableHighWaterMark: capacity, writableHighWaterMark: 16_384, allowHalfOpen: true });
  }

  /** From now on writes to this end are not taken: their callbacks wait for flow(). */
  stall(): void {
    this.#isStalled = true;
  }

  flow(): void {
    this.#isStalled = false;
    this.#deliverWaiting();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    activity += 1;
    this.#waiting = { chunk, callback };
    setImmediate(() => this.#deliverWaiting());
  }

  #deliverWaiting(): void {
    if (this.#isStalled || this.#waiting === undefined || this.destroyed) return;
    const { chunk, callback } = this.#waiting;
    this.#waiting = undefined;
    activity += 1;
    this.taken.push(chunk);
    if (this.other.destroyed || this.other.push(chunk)) callback();
    else this.other.onRead = callback;
  }

  onRead: Callback | undefined;

  override _read(): void {
    const callback = this.onRead;
    this.onRead = undefined;
    callback?.();
  }

  override _final(callback: Callback): void {
    setImmediate(() => {
      if (!this.other.destroyed) this.other.push(null);
      callback();
    });
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.callback(new Error('this end was destroyed'));
    // The other end learns of it as of a connection that broke: an end that is no 'end'.
    setImmediate(() => this.other.destroy());
    callback(error);
  }
}

export function duplexPair({ capacity = 65_536 }: PairOptions = {}): [PairEnd, PairEnd] {
  const a = new PairEnd(capacity);
  const b = new PairEnd(capacity);
  a.other = b;
  b.other = a;
  return [a, b];
}

/** Lets everything that is under way in memory come to rest. */
export async function settle(): Promise<void> {
  for (let quietTurns = 0, before = activity; quietTurns < 8; quietTurns += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (activity !== before) quietTurns = 0;
    before = activity;
  }
}
