// Where the lines of a log go: a stream, or a file.
import { fstatSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';

export interface LogSink {
  /** False: what was given is lost. */
  write(lines: string): boolean;
  /** Characters that nobody has taken yet. */
  readonly waiting: number;
  /** Nothing will ever be taken again. */
  readonly isOver: boolean;
}

/** A pipe, a terminal, or another stream. That it breaks costs lines, and nothing else. */
export class StreamSink implements LogSink {
  readonly #out: Writable;
  isOver = false;

  constructor(out: Writable) {
    this.#out = out;
    // EPIPE: nobody will ever read again.
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

/** A file, as a shell opens it by `>`. Its disk may be full, and have room again: process.stdout would be over for good. */
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
    return false; // it is closed, which process.stdout knows how to be
  }
}
