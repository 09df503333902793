// What one end of a stream wrote and read, and how it ended: to be held against the other end when all is over.

import { expect } from 'vitest';
import type { YamuxSession, YamuxStream } from '../../src/index.ts';

const pattern = (id: number, offset: number): number => (id * 31 + offset * 7) & 0xff;

export class Witness {
  readonly stream: YamuxStream;
  readonly session: YamuxSession;
  written = 0;
  read = 0;
  wrongBytes = 0;
  hasEnded = false;
  isClosed = false;
  error: Error | undefined;
  /** Its application ended it in another way than by end(). */
  wasCutHere = false;

  constructor(session: YamuxSession, stream: YamuxStream) {
    this.session = session;
    this.stream = stream;
    stream.on('end', () => {
      this.hasEnded = true;
    });
    stream.on('error', (error) => {
      this.error = error;
    });
    stream.on('close', () => {
      this.isClosed = true;
    });
  }

  /** The next bytes to write. */
  next(size: number): Buffer {
    const bytes = Buffer.alloc(size);
    for (let index = 0; index < size; index += 1) bytes[index] = pattern(this.stream.id, this.written + index);
    this.written += size;
    return bytes;
  }

  took(chunk: Buffer): void {
    for (const byte of chunk) {
      if (byte !== pattern(this.stream.id, this.read)) this.wrongBytes += 1;
      this.read += 1;
    }
  }

  reset(errorCode: number): void {
    this.wasCutHere = true;
    this.stream.reset(errorCode);
  }

  /** Both directions came to their end, or there is an error: never a clean end for what was cut. `other`: the far end, if there is one. */
  check(other: Witness | undefined): void {
    expect(this.wrongBytes).toBe(0);
    expect(this.isClosed).toBe(true);
    expect(this.read).toBeLessThanOrEqual(other?.written ?? 0);
    if (this.hasEnded) {
      expect(this.read).toBe(other?.written);
      expect(other?.stream.writableEnded).toBe(true);
    }
    const isClean = this.hasEnded && this.stream.writableFinished;
    if (!isClean && !this.wasCutHere) expect(this.error).toMatchObject({ code: expect.stringMatching(/^ERR_YAMUX_/) });
    if (this.error && !this.wasCutHere) expect(this.stream.errored).toBe(this.error);
  }
}

/** Each against the one with its id in the other session. */
export function checkAll(witnesses: readonly Witness[]): void {
  for (const witness of witnesses) {
    const { session, stream } = witness;
    witness.check(witnesses.find((other) => other.session !== session && other.stream.id === stream.id));
  }
}
