// One line of JSON per event, for a person with grep and for a collector alike. Lines of one turn of the event loop go out together. When
// nobody takes them, no more than a bound waits; lines that are lost are counted, and told of when there is room again. A pipe that breaks costs
// lines, and nothing else.
import type { Writable } from 'node:stream';

/** Called with the name of an event, and what is to be said of it. */
export type Log = (event: string, fields: Readonly<Record<string, unknown>>) => void;

/** Characters of lines that wait while nobody takes them. */
const MAX_WAITING: number = 1024 * 1024;

export class LineLog {
  readonly #out: Writable;
  readonly #maxWaiting: number;
  #lines = '';
  #isDue = false;
  #lost = 0;
  #isBroken = false;

  constructor(out: Writable, maxWaiting: number = MAX_WAITING) {
    this.#out = out;
    this.#maxWaiting = maxWaiting;
    out.on('error', () => {
      // EPIPE: nobody will ever read again. ENOSPC and the like may pass, and the stream is over all the same.
      this.#isBroken = true;
      this.#lines = '';
    });
  }

  readonly log: Log = (event, fields) => {
    if (this.#isBroken) return;
    if (this.#lines.length + this.#out.writableLength > this.#maxWaiting) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) {
      const lost = this.#lost;
      this.#lost = 0;
      this.#lines += line('log lines lost', { lines: lost });
    }
    this.#lines += line(event, fields);
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.flush);
  };

  /** Writes what waits, as before the process ends. */
  readonly flush = (): void => {
    this.#isDue = false;
    if (this.#lines === '' || this.#isBroken) return;
    const lines = this.#lines;
    this.#lines = '';
    this.#out.write(lines);
  };
}

/** Put together from parts: to copy the fields of each request into another object costs as much as to write them. */
function line(event: string, fields: Readonly<Record<string, unknown>>): string {
  const rest = JSON.stringify(fields);
  return `{"time":"${timeText()}","event":${JSON.stringify(event)}${rest === '{}' ? '' : `,${rest.slice(1, -1)}`}}\n`;
}

let textOf = Number.NaN;
let text = '';

/** Of now, made once a millisecond. */
function timeText(): string {
  const now = Date.now();
  if (now !== textOf) text = new Date(now).toISOString();
  textOf = now;
  return text;
}

const stdout: LineLog = new LineLog(process.stdout);
process.once('exit', stdout.flush);

/** To standard output. */
export const jsonLog: Log = stdout.log;
