// The writing half of an end: what it says, and what it hears of it.

import type { Connection } from './carrier.ts';
import { patternAt } from './pattern.ts';
import { beat } from './pulse.ts';

/** Bytes after which `fill` stops: more than two kernels hold. */
const FILL_LIMIT = 12 * 2 ** 20;
const FILL_CHUNK = 65_536;

export class Writer {
  readonly #connection: Connection;
  /** Bytes, as far as write() was called. */
  sent = 0;
  /** It wrote as much as its connection took, which is not the same everywhere. */
  hasFilled = false;
  filling: 'no' | 'waits' | 'all written' | 'over' = 'no';
  /** Write callbacks that were given, and those that came. */
  asked = 0;
  answered = 0;
  /** reuse() under way. */
  #reusing = 0;
  #isEndWanted = false;
  /** What listeners and callbacks of this end threw. */
  thrown = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The next bytes of what it says. */
  next(size: number): Buffer {
    const bytes = patternAt(this.sent, size);
    this.sent += size;
    return bytes;
  }

  write(size: number, as: 'buffer' | 'text' | 'callback' | 'throwing callback'): void {
    const bytes = this.next(size);
    if (as === 'buffer') this.#connection.write(bytes);
    else if (as === 'text') this.#connection.write(bytes.toString('latin1'), 'latin1');
    else {
      this.asked += 1;
      this.#connection.write(bytes, () => {
        beat();
        this.answered += 1;
        if (as === 'throwing callback') this.throw();
      });
    }
  }

  reuse(block: number, blocks: number): void {
    const buffer = Buffer.alloc(block);
    let left = blocks;
    this.#reusing += 1;
    const next = (error?: Error | null): void => {
      beat();
      this.answered += 1;
      if (error || left === 0) {
        this.#reusing -= 1;
        if (this.#isEndWanted) this.end(0);
        return;
      }
      left -= 1;
      this.asked += 1;
      this.next(block).copy(buffer);
      this.#connection.write(buffer, next);
    };
    this.asked += 1;
    next();
  }

  /** `size` 0: without a chunk. Who uses a buffer again ends when he has written the last of it. */
  end(size: number): void {
    if (this.#reusing > 0) {
      this.#isEndWanted = true;
    } else if (size === 0) {
      this.#connection.end();
    } else {
      this.#connection.end(this.next(size));
    }
  }

  fill(): void {
    this.hasFilled = true;
    const connection = this.#connection;
    const until = this.sent + FILL_LIMIT;
    const go = (): void => {
      beat();
      this.filling = 'waits';
      while (this.sent < until) {
        if (connection.destroyed || connection.writableEnded) {
          over();
          return;
        }
        if (!connection.write(this.next(FILL_CHUNK))) return;
      }
      this.filling = 'all written';
      connection.off('drain', go).off('close', over);
    };
    const over = (): void => {
      beat();
      this.filling = 'over';
      connection.off('drain', go).off('close', over);
    };
    connection.on('drain', go).on('close', over);
    go();
  }

  throw(): void {
    this.thrown += 1;
    throw new Error('thrown by a listener');
  }
}
