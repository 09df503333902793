// A slow path in memory, on the manual clock: two ends with a kernel's buffer each, which takes at once what fits and lets it go at the rate of the
// path. It can stand still, and an end that is destroyed answers what still comes for it by a reset, which costs the other end what is on its way.

import { Duplex } from 'node:stream';
import type { ManualClock } from './manual-clock.ts';

export interface Path {
  /** Bytes a second, each way. */
  readonly rate: number;
  /** ms, one way. */
  readonly latency: number;
  /** Bytes that an end takes before the path has carried them. */
  readonly buffer: number;
}

/** Bytes that the path carries at a time. */
const PIECE = 512;

type Callback = (error?: Error | null) => void;

export class SlowEnd extends Duplex {
  other!: SlowEnd;
  readonly #clock: ManualClock;
  readonly #path: Path;
  #kernel: Buffer[] = [];
  #kernelBytes = 0;
  #waiting: { rest: Buffer; callback: Callback } | undefined;
  #isCarrying = false;
  #isStill = false;
  #hasEnded = false;
  #wasReset = false;

  constructor(clock: ManualClock, path: Path) {
    super({ readableHighWaterMark: 16 * 2 ** 20, writableHighWaterMark: 16_384, allowHalfOpen: true });
    this.#clock = clock;
    this.#path = path;
  }

  /** From now on nothing is carried, either way, or all is again. */
  standStill(isStill: boolean): void {
    for (const end of [this, this.other]) {
      end.#isStill = isStill;
      end.#carry();
    }
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#waiting = { rest: chunk, callback };
    this.#take();
  }

  override _final(callback: Callback): void {
    this.#hasEnded = true;
    this.#carry();
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#hasEnded = true;
    this.#carry();
    callback(error);
  }

  #take(): void {
    if (this.#waiting === undefined) return;
    const { rest, callback } = this.#waiting;
    const taken = Buffer.from(rest.subarray(0, Math.max(PIECE, this.#path.buffer) - this.#kernelBytes));
    if (taken.length > 0) this.#kernel.push(taken);
    this.#kernelBytes += taken.length;
    this.#waiting.rest = rest.subarray(taken.length);
    this.#carry();
    if (this.#waiting.rest.length > 0) return;
    this.#waiting = undefined;
    setImmediate(callback);
  }

  #carry(): void {
    if (this.#isCarrying || this.#isStill || this.#wasReset) return;
    if (this.#kernelBytes === 0) {
      if (this.#hasEnded) this.#arrives(null);
      return;
    }
    this.#isCarrying = true;
    const head = this.#kernel.shift() as Buffer;
    const piece = head.subarray(0, PIECE);
    if (head.length > PIECE) this.#kernel.unshift(head.subarray(PIECE));
    this.#clock.setTimeout(
      () => {
        this.#isCarrying = false;
        this.#kernelBytes -= piece.length;
        this.#arrives(piece);
        this.#take();
        this.#carry();
      },
      (piece.length / this.#path.rate) * 1000,
    );
  }

  #arrives(chunk: Buffer | null): void {
    this.#clock.setTimeout(() => {
      const { other } = this;
      if (!other.destroyed) other.push(chunk);
      else if (chunk !== null) this.#reset();
    }, this.#path.latency);
  }

  #reset(): void {
    for (const end of [this, this.other]) {
      end.#wasReset = true;
      end.#kernel = [];
      end.#kernelBytes = 0;
    }
    this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }
}

export function slowLink(clock: ManualClock, path: Path): [SlowEnd, SlowEnd] {
  const a = new SlowEnd(clock, path);
  const b = new SlowEnd(clock, path);
  a.other = b;
  b.other = a;
  return [a, b];
}

/** Lets `ms` pass, so that whoever answers does so in time. */
export async function pass(clock: ManualClock, ms: number): Promise<void> {
  const end = clock.now() + ms;
  while (clock.now() < end) {
    clock.advance(Math.min(50, end - clock.now()));
    for (let turns = 0; turns < 4; turns += 1) await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
