// What a session has to make of any frames, told a second time, as plainly as can be, for an application that takes every
// stream and then does nothing. Shares no code with the source.

import { ACK, FIN, RST, SYN } from './frames.ts';

const WINDOW = 262_144;
const MAX = 0xffff_ffff;

export interface Frame {
  readonly version: number;
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly length: number;
}

interface Stream {
  readonly isInbound: boolean;
  received: number;
  sendWindow: number;
  hasFin: boolean;
}

export class FrameOracle {
  readonly live: Map<number, Stream> = new Map();
  readonly accepted: number[] = [];
  readonly reset: number[] = [];
  readonly pongs: number[] = [];
  readonly goAways: number[] = [];
  readonly answered: Set<number> = new Set();
  violated = false;
  readonly #role: 'client' | 'server';
  readonly #maxInbound: number;
  #resetsLeft: number;
  /** Whole when they were reset, and never read: still held for the peer. */
  #unread = 0;

  constructor(role: 'client' | 'server', ourStreams: readonly number[], maxInbound: number, resetBurst: number) {
    this.#role = role;
    this.#maxInbound = maxInbound;
    this.#resetsLeft = resetBurst;
    for (const id of ourStreams)
      this.live.set(id, { isInbound: false, received: 0, sendWindow: WINDOW, hasFin: false });
  }

  get isOver(): boolean {
    return this.violated || this.goAways.some((code) => code !== 0);
  }

  receive(frame: Frame): void {
    if (this.isOver) return;
    const { version, type, flags, length } = frame;
    if (version !== 0 || type > 3) this.violated = true;
    else if (type === 3) {
      if (length !== this.goAways.at(-1)) this.goAways.push(length);
    } else if (type === 2) {
      if (flags & SYN) this.pongs.push(length);
    } else this.#streamFrame(frame);
  }

  #streamFrame({ type, flags, id, length }: Frame): void {
    if (flags & SYN) {
      const isTheirs = id !== 0 && (id % 2 === 1) === (this.#role === 'server');
      if (this.live.has(id) || !isTheirs) this.violated = true;
      else if (!(flags & RST)) this.#open(id);
    }
    const stream = this.live.get(id);
    if (this.violated || stream === undefined || (flags & SYN && flags & RST)) return;
    const bytes = type === 0 ? length : 0;
    if (!stream.isInbound && (!(flags & RST) || flags & ACK || bytes > 0)) this.answered.add(id);
    if (bytes > 0 && stream.hasFin) {
      this.reset.push(id);
      this.#end(id, stream);
      return;
    }
    stream.received += bytes;
    if (type === 1 && !(flags & RST)) stream.sendWindow += length;
    if (stream.received > WINDOW || stream.sendWindow > MAX) this.violated = true;
    else if (flags & RST) {
      this.#end(id, stream);
      if (stream.isInbound && stream.hasFin && stream.received > 0) this.#unread += 1;
    } else if (flags & FIN) stream.hasFin = true;
  }

  /** A reset that the peer sent, or made us send. */
  #end(id: number, { isInbound }: Stream): void {
    this.live.delete(id);
    if (isInbound) this.#resetsLeft = Math.max(0, this.#resetsLeft - 1);
  }

  #open(id: number): void {
    const inbound = [...this.live.values()].filter(({ isInbound }) => isInbound).length;
    if (inbound + this.#unread >= this.#maxInbound || this.#resetsLeft === 0) {
      this.reset.push(id);
      return;
    }
    this.accepted.push(id);
    this.live.set(id, { isInbound: true, received: 0, sendWindow: WINDOW, hasFin: false });
  }
}
