// A peer that speaks nothing but what the test has it say, and writes down what it hears, one line a frame.

import type { PairEnd } from './duplex-pair.ts';
import { settle } from './duplex-pair.ts';

const TYPES = ['DATA', 'CREDIT', 'PING', 'GOAWAY'];
const FLAGS = ['SYN', 'ACK', 'FIN', 'RST'];

export interface HeardFrame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly length: number;
  readonly payload: Buffer;
}

export class WirePeer {
  readonly end: PairEnd;
  readonly frames: HeardFrame[] = [];
  hasEnded = false;
  #pending = Buffer.alloc(0);
  #told = 0;

  constructor(end: PairEnd) {
    this.end = end;
    end.on('data', (chunk: Buffer) => this.#hear(chunk));
    end.on('end', () => {
      this.hasEnded = true;
    });
    end.on('error', () => {});
  }

  /** Sends frames in one chunk. */
  send(...frames: Buffer[]): void {
    this.end.write(Buffer.concat(frames));
  }

  /** Sends frames cut into chunks of `size` bytes. */
  sendInPieces(size: number, ...frames: Buffer[]): void {
    const bytes = Buffer.concat(frames);
    for (let at = 0; at < bytes.length; at += size) this.end.write(bytes.subarray(at, at + size));
  }

  /** What came since the last call, as lines: 'CREDIT ACK 1 +0', 'DATA 1 "abc"', 'PING ACK 7', 'GOAWAY 1'. */
  async heard(): Promise<string[]> {
    await settle();
    const lines = this.frames.slice(this.#told).map(describe);
    this.#told = this.frames.length;
    return lines;
  }

  /** All payload of one stream so far. */
  payload(id: number): Buffer {
    return Buffer.concat(this.frames.filter((f) => f.type === 0 && f.id === id).map((f) => f.payload));
  }

  #hear(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk]);
    for (;;) {
      if (this.#pending.length < 12) return;
      const type = this.#pending.readUInt8(1);
      const length = this.#pending.readUInt32BE(8);
      const end = 12 + (type === 0 ? length : 0);
      if (this.#pending.length < end) return;
      this.frames.push({
        type,
        flags: this.#pending.readUInt16BE(2),
        id: this.#pending.readUInt32BE(4),
        length,
        payload: this.#pending.subarray(12, end),
      });
      this.#pending = this.#pending.subarray(end);
    }
  }
}

function describe({ type, flags, id, length, payload }: HeardFrame): string {
  const names = FLAGS.filter((_, bit) => flags & (1 << bit)).join('|');
  const head = names === '' ? (TYPES[type] as string) : `${TYPES[type]} ${names}`;
  if (type === 0) return `${head} ${id} ${length <= 16 ? JSON.stringify(payload.toString()) : `${length} bytes`}`;
  if (type === 1) return flags & 8 ? `${head} ${id} code ${length}` : `${head} ${id} +${length}`;
  return `${head} ${length}`;
}
