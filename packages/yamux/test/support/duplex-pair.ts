// Two Duplex ends in memory: what one writes the other reads, in order, each chunk in a later turn of the event loop, as a socket does.

import { Duplex } from 'node:stream';

export interface PairOptions {
  /** Bytes that an end takes before its reader has read them. */
  readonly capacity?: number;
  /** Calls `deliver` at some later time, in order per end; setImmediate by default. */
  readonly schedule?: (deliver: () => void, label: string) => void;
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

  readonly #schedule: (deliver: () => void, label: string) => void;

  constructor({ capacity = 65_536, schedule = setImmediate }: PairOptions) {
    super({ readableHighWaterMark: capacity, writableHighWaterMark: 16_384, allowHalfOpen: true });
    this.#schedule = schedule;
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
    this.#schedule(() => this.#deliverWaiting(), `deliver ${chunk.length} bytes`);
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
    this.#schedule(() => {
      if (!this.other.destroyed) this.other.push(null);
      callback();
    }, 'deliver the end');
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.callback(new Error('this end was destroyed'));
    // The other end learns of it as of a connection that broke: an end that is no 'end'.
    this.#schedule(() => this.other.destroy(), 'deliver the break');
    callback(error);
  }
}

export function duplexPair(options: PairOptions = {}): [PairEnd, PairEnd] {
  const a = new PairEnd(options);
  const b = new PairEnd(options);
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
