// An outbox alone: real streams that write into it, and a transport that writes down what it is handed, chunk by chunk.

import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { YamuxStream } from '../../src/duplex/yamux-stream.ts';
import { Outbox } from '../../src/session/outbox.ts';
import { CreditWait } from '../../src/stream/credit-wait.ts';
import type { StreamPort } from '../../src/stream/stream-port.ts';
import { WindowBudget } from '../../src/stream/window-budget.ts';
import { WireStream } from '../../src/stream/wire-stream.ts';
import { Trace } from '../../src/trace.ts';
import { ManualClock } from './manual-clock.ts';
import { streamContext } from './stream-context.ts';

export const KIB = 1024;
export const MIB: number = 1024 * KIB;
export const HEADER = 12;
/** What may stand handed over and not taken by a transport that is not slow. */
export const HANDED_OVER_LIMIT: number = 128 * KIB;

/** Until the batch of this tick has left. */
export const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

type Callback = (error?: Error | null) => void;

/** A transport that takes what it is given at once, or, while it is held, when it is told to. */
export class Link extends Duplex {
  /** What one write below carried: more than one chunk if they were corked. */
  readonly batches: Buffer[][] = [];
  /** The chunks as they were when it took them: until then it may read the memory that it was given. */
  readonly taken: Buffer[] = [];
  isHeld = false;
  #callback: Callback | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#take([chunk], callback);
  }

  override _writev(chunks: Array<{ chunk: Buffer }>, callback: Callback): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  get chunks(): Buffer[] {
    return this.batches.flat();
  }

  /** Takes what was given last; false if there was nothing. */
  takeBatch(error?: Error): boolean {
    const callback = this.#callback;
    this.#callback = undefined;
    if (callback && !error) this.#copyLast();
    callback?.(error);
    return callback !== undefined;
  }

  #copyLast(): void {
    for (const chunk of this.batches.at(-1) ?? []) this.taken.push(Buffer.from(chunk));
  }

  #take(chunks: Buffer[], callback: Callback): void {
    this.batches.push(chunks);
    if (this.isHeld) {
      this.#callback = callback;
      return;
    }
    this.#copyLast();
    callback();
  }
}

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly length: number;
  readonly payload: Buffer;
}

/** The frames in `chunks`; throws unless each chunk is whole small frames, whole headers, or a whole payload. */
function framesIn(chunks: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  const rest = chunks.values();
  for (const chunk of rest) {
    if (chunk.length > 64 * KIB) throw new Error(`a chunk of ${chunk.length} bytes`);
    for (let at = 0; at < chunk.length; ) {
      if (chunk.length - at < HEADER) throw new Error('a header is cut');
      const type = chunk.readUInt8(at + 1);
      const length = chunk.readUInt32BE(at + 8);
      const start = at + HEADER;
      at = start;
      let payload = Buffer.alloc(0);
      if (type === 0 && start === chunk.length) {
        payload = (rest.next().value ?? Buffer.alloc(0)) as Buffer<ArrayBuffer>;
        if (payload.length !== length) throw new Error(`a payload of ${length} bytes in a chunk of ${payload.length}`);
      } else if (type === 0) {
        at += length;
        if (at > chunk.length) throw new Error('a small payload is cut');
        payload = Buffer.from(chunk.subarray(start, at));
      }
      const head = start - HEADER;
      frames.push({ type, flags: chunk.readUInt16BE(head + 2), id: chunk.readUInt32BE(head + 4), length, payload });
    }
  }
  return frames;
}

function payloadOf(id: number, frames: readonly Frame[]): Buffer {
  return Buffer.concat(frames.filter((frame) => frame.type === 0 && frame.id === id).map(({ payload }) => payload));
}

/** 'DATA 1 100', 'FIN 1', 'RST 1', 'CONTROL 7': what order is about. */
function line({ type, flags, id, length }: Frame): string {
  if (type === 0) return `DATA ${id} ${length}`;
  if (type === 1 && flags === 8) return `RST ${id}`;
  return flags === 4 ? `FIN ${id}` : `CONTROL ${length}`;
}

/** An outbox over such a transport, with real streams. */
export class OutboxScene {
  readonly link: Link = new Link();
  readonly outbox: Outbox;
  readonly streams: YamuxStream[] = [];
  /** What each of `streams` is to the outbox. */
  readonly wires: WireStream[] = [];
  /** What may stand handed over and not taken. */
  ahead: number = HANDED_OVER_LIMIT;
  /** What the session was told, in order. */
  readonly told: string[] = [];
  readonly #clock = new ManualClock();
  readonly #port: StreamPort;

  constructor(maxFramePayload: number = 32 * KIB, flushAt: 'tick' | 'turn' = 'tick') {
    this.outbox = new Outbox(this.link, { maxFramePayload, flushAt }, new Trace({}), {
      ahead: () => this.ahead,
      handedOver: () => this.told.push('handed over'),
      progressed: () => this.told.push('progressed'),
      peerStalled: () => this.told.push('stalled'),
    });
    this.#port = {
      clock: this.#clock,
      halfCloseTimeout: 0,
      maxStreamWindow: 256 * KIB,
      windowBudget: new WindowBudget(0),
      creditWait: new CreditWait(this.#clock),
      roundTrip: () => undefined,
      measureRoundTrip: () => {},
      sendCredit: () => {},
      sendReset: (stream, errorCode) => this.outbox.control(1, 8, stream.id, errorCode),
      wantsTurn: (stream) => this.outbox.wantsTurn(stream),
      readUntil: () => this.outbox.readUntil,
      handedOver: (stream) => this.outbox.handedOver(stream),
      acknowledged: () => {},
      rapidlyReset: () => {},
      released: () => {},
      ended: () => {},
    };
  }

  /** A stream with credit for `window` bytes. */
  stream(window: number = 64 * MIB): YamuxStream {
    const wire = new WireStream(this.#port, 'outbound');
    wire.id = this.streams.length * 2 + 1;
    wire.receiveCredit(window - 256 * KIB);
    const stream = new YamuxStream(wire, streamContext(this.#clock), true);
    stream.on('error', () => {});
    this.wires.push(wire);
    this.streams.push(stream);
    return stream;
  }

  /** A ping with `value`: the plainest control frame. */
  control(value: number): void {
    this.outbox.control(2, 1, 0, value);
  }

  /** What went to the transport, whether it has taken it or not. */
  get frames(): Frame[] {
    return framesIn(this.link.chunks);
  }

  get lines(): string[] {
    return this.frames.map(line);
  }

  payload(id: number): Buffer {
    return payloadOf(id, this.frames);
  }

  /** What the transport has taken of a stream, as it was then. */
  takenPayload(id: number): Buffer {
    return payloadOf(id, framesIn(this.link.taken));
  }

  /** Lets a held transport take all there is. */
  async drain(): Promise<void> {
    for (let idle = 0; idle < 3; idle += 1) {
      await turn();
      if (this.link.takeBatch()) idle = 0;
    }
  }
}
