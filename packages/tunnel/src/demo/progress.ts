// The progress of the demo: one line that is rewritten on a terminal; elsewhere a plain line from time to time.
import type { WriteStream } from 'node:tty';

const PLAIN_INTERVAL = 2_000;
/** Where a terminal does not say how wide it is, or says 0. */
const COLUMNS = 80;

export class Progress {
  readonly #out: WriteStream;
  #lastPlain = 0;

  constructor(out: WriteStream) {
    this.#out = out;
  }

  /** The state of things; replaced by the next one. */
  show(text: string): void {
    if (this.#out.isTTY) {
      this.#out.write(`\r\x1b[2K${text.slice(0, (this.#out.columns || COLUMNS) - 1)}`);
    } else if (performance.now() - this.#lastPlain >= PLAIN_INTERVAL) {
      this.#lastPlain = performance.now();
      this.#out.write(`${text}\n`);
    }
  }

  /** Something that happened; stays. */
  tell(text: string): void {
    this.#out.write(`${this.#out.isTTY ? '\r\x1b[2K' : ''}${text}\n`);
  }
}
