// Our end of one stream of a program: reads, writes and may give up, all at once, and tells how it went.
import { createHash } from 'node:crypto';
import { finished } from 'node:stream/promises';
import type { YamuxStream } from '../../src/index.ts';
import type { Transfer } from './go-peer.ts';
import { payload } from './payload.ts';
import { type OurHalf, type StreamReport, seedOf, sizeOf } from './program.ts';

export interface OurStreamReport extends StreamReport {
  /** The application gave the stream up. */
  readonly wasCut: boolean;
  /** end() was called: `sent` tells all that was to come. */
  readonly hasEnded: boolean;
}

export class OurStream {
  /** Settles when both directions have come to an end, in whichever way; never rejects. */
  readonly report: Promise<OurStreamReport>;
  readonly #stream: YamuxStream;
  readonly #half: OurHalf;
  readonly #roundTrip: () => Promise<void>;
  readonly #hash = createHash('sha256');
  #received = 0;
  #pausesPassed = 0;
  #isStopped = false;
  /** Pauses and a cut that are under way. */
  readonly #beside: Array<Promise<void>> = [];
  #wasCut = false;
  #hasEnded = false;
  #tellWriter: () => void = () => {};

  constructor(stream: YamuxStream, half: OurHalf, roundTrip: () => Promise<void>) {
    this.#stream = stream;
    this.#half = half;
    this.#roundTrip = roundTrip;
    stream.on('error', () => {}); // what becomes of it is read off finished()
    this.report = this.#run();
  }

  async #run(): Promise<OurStreamReport> {
    const read = outcome(finished(this.#stream, { writable: false }), 'eof');
    const written = outcome(finished(this.#stream, { readable: false }), 'sent');
    const mayWrite = new Promise<void>((resolve) => {
      this.#tellWriter = resolve;
    });
    void read.then(() => this.#tellWriter());
    this.#startReading();
    this.#progress();
    if (this.#half.cut?.after === 'roundTrips') this.#beside.push(this.#cutAfterRoundTrips(this.#half.cut.count));
    await mayWrite;
    const bytes = await this.#write();
    const sent: Transfer = { ...bytes, outcome: await written };
    const received = { outcome: await read, bytes: this.#received, sha256: this.#hash.digest('hex') };
    await Promise.all(this.#beside);
    return { id: this.#stream.id, sent, received, wasCut: this.#wasCut, hasEnded: this.#hasEnded };
  }

  #startReading(): void {
    if (this.#half.flows) this.#stream.on('data', (chunk: Buffer) => this.#take(chunk));
    else this.#stream.on('readable', () => this.#readAll());
  }

  #readAll(): void {
    // What Node still holds of a stream that is destroyed is not read: nobody would know whether it is all.
    while (!this.#isStopped && !this.#stream.destroyed) {
      const chunk = this.#stream.read(this.#half.readSize) as Buffer | null;
      if (chunk === null) return;
      this.#take(chunk);
    }
  }

  #take(chunk: Buffer): void {
    this.#hash.update(chunk);
    this.#received += chunk.length;
    this.#progress();
  }

  #progress(): void {
    const { cut, pauses, writesAfter } = this.#half;
    if (this.#received >= writesAfter) this.#tellWriter();
    if (cut?.after === 'bytes' && this.#received >= cut.count) this.#cut();
    const isPauseDue = (pauses[this.#pausesPassed] ?? Number.POSITIVE_INFINITY) <= this.#received;
    if (isPauseDue && !this.#isStopped) this.#beside.push(this.#pause());
  }

  async #pause(): Promise<void> {
    this.#pausesPassed += 1;
    this.#isStopped = true;
    if (this.#half.flows) this.#stream.pause();
    await this.#roundTrip();
    this.#isStopped = false;
    if (this.#half.flows) this.#stream.resume();
    else this.#readAll();
  }

  async #cutAfterRoundTrips(count: number): Promise<void> {
    for (let made = 0; made < count; made += 1) await this.#roundTrip();
    this.#cut();
  }

  #cut(): void {
    const { how } = this.#half.cut ?? {};
    if (this.#wasCut || this.#stream.destroyed) return;
    this.#wasCut = true;
    if (how === 'reset') this.#stream.reset(7);
    else if (how === 'fail') this.#stream.destroy(new Error('given up'));
    else if (how === 'destroy') this.#stream.destroy();
    else {
      this.#end();
      this.#stream.destroy();
    }
  }

  #end(): void {
    if (!this.#stream.writable) return;
    this.#hasEnded = true;
    this.#stream.end();
  }

  /** What was written, if all of it went out. */
  async #write(): Promise<Omit<Transfer, 'outcome'>> {
    const bytes = payload(seedOf.us(this.#stream.id), sizeOf(this.#half));
    let at = 0;
    for (const { size, chunk } of this.#half.writes) {
      for (const end = at + size; at < end && this.#stream.writable; ) {
        const next = bytes.subarray(at, Math.min(end, at + chunk));
        at += next.length;
        if (!this.#stream.write(next)) await drainOrClose(this.#stream);
      }
    }
    this.#end();
    return { bytes: at, sha256: createHash('sha256').update(bytes.subarray(0, at)).digest('hex') };
  }
}

async function outcome(end: Promise<void>, whenClean: string): Promise<string> {
  try {
    await end;
    return whenClean;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code ?? message;
  }
}

function drainOrClose(stream: YamuxStream): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off('drain', settle);
      stream.off('close', settle);
      resolve();
    };
    stream.on('drain', settle);
    stream.on('close', settle);
    if (stream.closed) settle();
  });
}
