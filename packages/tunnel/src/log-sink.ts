// The destination of log lines: a stream or a file.
import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';

export interface LogSink {
  /** False: what was given is lost. */
  write(lines: string): boolean;
  /** Characters of waiting lines. */
  readonly waiting: number;
  /** Nothing will ever be taken again. */
  readonly isOver: boolean;
}

/** A pipe, a terminal, or another stream. If it breaks, only lines are lost. */
export class StreamSink implements LogSink {
  readonly #out: Writable;
  isOver = false;

  constructor(out: Writable) {
    this.#out = out;
    // EPIPE: the reader of the pipe has gone for ever.
    out.on('error', () => {
      this.isOver = true;
    });
  }

  get waiting(): number {
    return this.#out.writableLength;
  }

  write(lines: string): boolean {
    this.#out.write(lines);
    return true;
  }
}

/** A log file, opened like `>` of a shell. It survives a full disk; process.stdout would fail for ever. */
export class FileSink implements LogSink {
  readonly waiting = 0;
  readonly isOver = false;
  readonly #descriptor: number;
  readonly #writeSync: Write;
  /** The file ends in the middle of a line. */
  #isCut = false;

  constructor(descriptor: number, write: Write = writeSync) {
    this.#descriptor = descriptor;
    this.#writeSync = write;
  }

  write(lines: string): boolean {
    const bytes = Buffer.from(this.#isCut ? `\n${lines}` : lines);
    let written = 0;
    try {
      while (written < bytes.length) written += this.#writeSync(this.#descriptor, bytes, written);
    } catch {
      this.#isCut ||= written > 0;
      return false;
    }
    this.#isCut = false;
    return true;
  }
}

type Write = (descriptor: number, bytes: Buffer, offset: number) => number;

/** Standard output of this process. */
export function standardOutput(): LogSink {
  return isFile(1) ? new FileSink(1) : new StreamSink(process.stdout);
}

function isFile(descriptor: number): boolean {
  if (isatty(descriptor)) return false;
  try {
    const stats = fstatSync(descriptor);
    return stats.isFile() || stats.isCharacterDevice();
  } catch {
    return false; // the stream is closed
  }
}
