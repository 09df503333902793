// A connection in memory that treats what is written as a kernel does: it copies a chunk when it takes it, not before, and says so then. At a
// rate of bytes a second and with a latency, if it has them, on the manual clock. An end that is destroyed was a process that is gone: what it
// had handed over arrives, then the end.

import { Duplex } from 'node:stream';
import type { ManualClock } from '../support/manual-clock.ts';
import { beat } from './pulse.ts';

type Callback = (error?: Error | null) => void;

/** Bytes that a slow link carries at a time. */
const PIECE = 4096;

export class Link {
  readonly a: LinkEnd;
  readonly b: LinkEnd;

  constructor(clock: ManualClock, path: { readonly rate: number; readonly latency: number }) {
    const timing = new Timing(clock);
    this.a = new LinkEnd(timing, path);
    this.b = new LinkEnd(timing, path);
    this.a.other = this.b;
    this.b.other = this.a;
    this.#timing = timing;
  }

  readonly #timing: Timing;

  /** ms until the next thing on its way arrives; undefined if there is none. */
  get nextIn(): number | undefined {
    return this.#timing.nextIn;
  }
}

/** Things that happen later, each in a turn of its own: what a listener throws there is its own affair. */
class Timing {
  readonly #clock: ManualClock;
  readonly #due = new Set<{ readonly at: number }>();

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  after(ms: number, what: () => void): void {
    if (ms === 0) {
      setImmediate(what);
      return;
    }
    const entry = { at: this.#clock.now() + ms };
    this.#due.add(entry);
    this.#clock.setTimeout(() => {
      this.#due.delete(entry);
      setImmediate(what);
      beat();
    }, ms);
  }

  get nextIn(): number | undefined {
    let first: number | undefined;
    for (const { at } of this.#due) first = Math.min(first ?? at, at);
    return first === undefined ? undefined : first - this.#clock.now();
  }
}

export class LinkEnd extends Duplex {
  other!: LinkEnd;
  readonly #timing: Timing;
  readonly #rate: number;
  readonly #latency: number;

  constructor(timing: Timing, { rate, latency }: { readonly rate: number; readonly latency: number }) {
    super({ highWaterMark: 16_384, allowHalfOpen: true });
    this.#timing = timing;
    this.#rate = rate;
    this.#latency = latency;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    beat();
    const size = this.#rate === 0 ? chunk.length : PIECE;
    const next = (from: number): void => {
      const piece = chunk.subarray(from, from + size);
      this.#timing.after(this.#rate === 0 ? 0 : Math.ceil((piece.length / this.#rate) * 1000), () => {
        beat();
        if (this.destroyed) return callback();
        this.#arrives(Buffer.from(piece));
        if (from + size < chunk.length) next(from + size);
        else callback();
      });
    };
    next(0);
  }

  override _final(callback: Callback): void {
    this.#arrives(null);
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#arrives(null);
    callback(error);
  }

  #hasEnded = false;

  #arrives(chunk: Buffer | null): void {
    if (this.#hasEnded) return;
    this.#hasEnded = chunk === null;
    this.#timing.after(this.#latency, () => {
      beat();
      if (!this.other.destroyed) this.other.push(chunk);
    });
  }
}
