// The log: one line of JSON per event, for people and for log collectors. The lines of one turn of the event loop are written together. If the destination
// takes nothing, a limited number waits. Lost lines, also on a full disk, are counted and reported when there is room again.
import { type LogSink, standardOutput } from './log-sink.ts';

/** Called with the name of an event and its fields. */
export type Log = (event: string, fields: Readonly<Record<string, unknown>>) => void;

/** The limit of characters of waiting lines. */
const MAX_WAITING: number = 1024 * 1024;

export class LineLog {
  readonly #sink: LogSink;
  readonly #maxWaiting: number;
  #lines = '';
  /** Of events; what has been lost before is told in a line besides. */
  #count = 0;
  #isDue = false;
  #lost = 0;
  /** Lost lines that are reported in the waiting lines. */
  #told = 0;

  constructor(sink: LogSink, maxWaiting: number = MAX_WAITING) {
    this.#sink = sink;
    this.#maxWaiting = maxWaiting;
  }

  readonly log: Log = (event, fields) => {
    if (this.#sink.isOver) return;
    if (this.#lines.length + this.#sink.waiting > this.#maxWaiting) {
      this.#lost += 1;
      return;
    }
    if (this.#lost > 0) {
      this.#lines += line('log lines lost', { lines: this.#lost });
      this.#told += this.#lost;
      this.#lost = 0;
    }
    this.#lines += line(event, fields);
    this.#count += 1;
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.flush);
  };

  /** Writes what waits, as before the process ends. */
  readonly flush = (): void => {
    this.#isDue = false;
    if (this.#lines === '' || this.#sink.isOver) return;
    if (!this.#sink.write(this.#lines)) this.#lost += this.#told + this.#count;
    this.#lines = '';
    this.#count = 0;
    this.#told = 0;
  };
}

/** Built from parts, because copying the fields of each request into another object costs as much as writing them. */
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

const stdout: LineLog = new LineLog(standardOutput());
process.once('exit', stdout.flush);

/** To standard output. */
export const jsonLog: Log = stdout.log;
