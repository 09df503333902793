// A session under attack: a transport that keeps nothing of what passes through it, so that what memory grows by is the session's own.

import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { type SessionOptions, server, type YamuxSession, type YamuxStream } from '../../src/index.ts';
import { collectGarbage } from './collect-garbage.ts';
import { pong, RST } from './frames.ts';
import { ManualClock } from './manual-clock.ts';

export const KIB = 1024;
export const MIB: number = 1024 * KIB;
export const WINDOW: number = 256 * KIB;
/** Bytes in a chunk of the transport: what Node reads from a socket at once. */
export const CHUNK: number = 64 * KIB;
/** Bytes by which the heap may differ between two measurements for reasons of its own: compiled code, the test runner. */
export const NOISE: number = 6 * MIB;

type Callback = (error?: Error | null) => void;

/** Counts the frames that it is given by kind, and keeps none of them. While it is stuck it takes nothing. */
class FloodLink extends Duplex {
  readonly heard: Map<string, number> = new Map();
  /** By stream that was given credit: what the peer may send in all. */
  readonly credit: Map<number, number> = new Map();
  isStuck = false;
  #skip = 0;
  #callback: Callback | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    if (this.isStuck) {
      this.#callback = callback;
      return;
    }
    this.#count(chunk);
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#callback?.(error);
    callback(error);
  }

  // Headers come whole: what is handed over is whole small frames, whole headers or whole payloads.
  #count(chunk: Buffer): void {
    let at = Math.min(this.#skip, chunk.length);
    this.#skip -= at;
    while (at < chunk.length) {
      const type = chunk.readUInt8(at + 1);
      const flags = chunk.readUInt16BE(at + 2);
      const length = chunk.readUInt32BE(at + 8);
      const kind = `${['DATA', 'CREDIT', 'PING', 'GOAWAY'][type]} ${flags}`;
      this.heard.set(kind, (this.heard.get(kind) ?? 0) + 1);
      if (type === 1 && flags !== RST && length > 0) {
        const id = chunk.readUInt32BE(at + 4);
        this.credit.set(id, (this.credit.get(id) ?? WINDOW) + length);
      }
      const end = at + 12 + (type === 0 ? length : 0);
      at = Math.min(end, chunk.length);
      this.#skip = end - at;
    }
  }
}

export class FloodScene {
  readonly clock: ManualClock = new ManualClock();
  readonly link: FloodLink = new FloodLink();
  readonly session: YamuxSession;
  /** What the session's 'error' said. */
  error: Error | undefined;
  #chunk: Buffer[] = [];
  #chunkLength = 0;

  constructor(options: SessionOptions = {}) {
    this.session = server(this.link, { clock: this.clock, keepAliveInterval: 0, ...options });
    this.session.on('error', (error) => {
      this.error = error;
    });
  }

  /** From now on streams are accepted, and handed to `use`, which may leave them alone. */
  accept(use: (stream: YamuxStream) => void = () => {}): void {
    this.session.on('stream', (stream) => {
      stream.on('error', () => {});
      use(stream);
    });
  }

  /** How often we sent such a frame: `kind` is 0 Data, 1 WindowUpdate, 2 Ping, 3 GoAway. */
  heard(kind: 'DATA' | 'CREDIT' | 'PING' | 'GOAWAY', flags = 0): number {
    return this.link.heard.get(`${kind} ${flags}`) ?? 0;
  }

  /** The peer sends `frames`, in chunks of 64 KiB in memory of their own, as from a socket. */
  async send(...frames: Buffer[]): Promise<void> {
    for (const frame of frames) {
      this.#chunk.push(frame);
      this.#chunkLength += frame.length;
      if (this.#chunkLength >= CHUNK) await this.flush();
    }
  }

  /** What was sent and did not fill a chunk arrives, and all that follows from it happens. */
  async flush(): Promise<void> {
    if (this.#chunkLength > 0) this.deliver(Buffer.concat(this.#chunk));
    this.#chunk = [];
    this.#chunkLength = 0;
    await turn();
  }

  /** A chunk arrives: in its own memory, none of which anybody else keeps. */
  deliver(bytes: Buffer): void {
    const chunk = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(chunk);
    this.link.push(chunk);
  }

  /** A round trip of `ms` is measured: windows may grow. */
  async measureRoundTrip(ms: number): Promise<void> {
    const pinged = this.session.ping();
    await turn();
    this.clock.advance(ms);
    await this.send(pong(1));
    await this.flush();
    await pinged;
  }
}

/** Bytes that are alive, on the heap and outside. (`external` includes the memory of ArrayBuffers.) */
export async function liveBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  // Garbage is only ever too much, and the memory of a Buffer is freed a little after it.
  for (let rounds = 0; rounds < 4; rounds += 1) {
    collectGarbage();
    await turn();
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
  }
  return least;
}

/** Bytes of memory that `chunks` keep alive. */
export function pinnedBy(chunks: readonly Buffer[]): number {
  let bytes = 0;
  for (const memory of new Set(chunks.map(({ buffer }) => buffer))) bytes += memory.byteLength;
  return bytes;
}
