// All that is to be sent, in the order in which it goes: one lane of control frames first, then the streams in turn, a frame a turn.
// The frames of one tick, or of one turn of the event loop, leave in one corked batch. What the transport has not taken is bounded; the rest
// stays with the streams, whose own back-pressure reaches the application. Knows nothing of what frames mean.

import type { Duplex } from 'node:stream';
import type { WireStream } from '../stream/wire-stream.ts';
import type { Trace } from '../trace.ts';
import { Flag, FrameType, HEADER_SIZE } from '../wire/constants.ts';
import { encodeHeader } from '../wire/header.ts';
import type { ResolvedOptions } from './options.ts';

/** Bytes in one go before reading and everybody else get their turn: a fast transport takes all it is given within the tick. */
const TICK_LIMIT = 1_048_576;
/** Bytes of control frames waiting for a transport that takes nothing: answers to a peer that asks but does not read. */
const CONTROL_LIMIT = 1_048_576;
const FIRST_LANE_SIZE = 768;
/** Slabs grow from the one to the other, so that an idle session keeps little. A whole frame of the largest payload fits. */
const FIRST_SLAB_SIZE = 256;
const LAST_SLAB_SIZE = 65_536;
/** Smaller payloads are copied behind their header; a chunk and an iovec of its own cost more than the copy. */
const COPY_BELOW = 4096;
/** Less room than this at the end of a slab is left over rather than filled with a short frame. */
const WORTHWHILE_FRAME = 1000;

export type OutboxOptions = Pick<ResolvedOptions, 'maxFramePayload' | 'flushAt'>;

export interface OutboxPort {
  /** Bytes that may be handed over and not yet taken by the transport; no frame is larger. */
  ahead(): number;
  handedOver(): void;
  /** The transport took something. */
  progressed(): void;
  /** The peer makes us queue control frames and takes none. */
  peerStalled(): void;
}

export class Outbox {
  readonly #transport: Duplex;
  readonly #maxFramePayload: number;
  readonly #isByTurns: boolean;
  readonly #trace: Trace;
  readonly #port: OutboxPort;
  #lane: Buffer = Buffer.allocUnsafeSlow(FIRST_LANE_SIZE);
  #laneLength = 0;
  #firstInTurn: WireStream | undefined;
  #lastInTurn: WireStream | undefined;
  #slab: Buffer = Buffer.allocUnsafeSlow(FIRST_SLAB_SIZE);
  #segmentStart = 0;
  #slabEnd = 0;
  /** Handed over by the next chunk, or, as the last of its batch, with the callback. */
  #heldChunk: Buffer | undefined;
  #isScheduled = false;
  /** Nothing is sent any more. */
  #isClosed = false;
  /** Nor is anything taken. */
  #isOver = false;
  /** Where, in bytesSent, the batches end that the transport has not taken, and the streams that wait for one of them. */
  #batchEnds: number[] = [];
  #awaitingTaken: WireStream[] = [];
  framesSent = 0;
  /** Bytes handed over. */
  bytesSent = 0;
  /** Bytes of these that the transport has taken, by whole batches. */
  bytesTaken = 0;
  /** Where the last payload or FIN of a stream ends in bytesSent. */
  #lastOfStreams = 0;

  constructor(transport: Duplex, { maxFramePayload, flushAt }: OutboxOptions, trace: Trace, port: OutboxPort) {
    this.#transport = transport;
    this.#maxFramePayload = maxFramePayload;
    this.#isByTurns = flushAt === 'turn';
    this.#trace = trace;
    this.#port = port;
  }

  /** Bytes that wait here or in the transport's buffer; payload that waits in the streams is not counted. */
  get queuedBytes(): number {
    return this.#laneLength + this.#transport.writableLength;
  }

  /** Where all that is queued in the control lane will end in bytesSent. */
  get controlEnd(): number {
    return this.bytesSent + this.#laneLength;
  }

  /** Whether something that a stream sent has not been taken by the transport. */
  get hasUntakenData(): boolean {
    return this.bytesTaken < this.#lastOfStreams;
  }

  /** Up to here in bytesSent, the transport reads from nobody's memory any more. */
  get readUntil(): number {
    return this.#isOver ? Number.POSITIVE_INFINITY : this.bytesTaken;
  }

  /** Queues a frame without payload, ahead of all data. */
  control(type: FrameType, flags: number, streamId: number, length: number): void {
    if (this.#isClosed) return;
    if (this.#laneLength + HEADER_SIZE > this.#lane.length) this.#growLane();
    encodeHeader(this.#lane, this.#laneLength, type, flags, streamId, length);
    this.#laneLength += HEADER_SIZE;
    this.#count(type, flags, streamId, length);
    this.#schedule();
  }

  wantsTurn(stream: WireStream): void {
    if (stream.hasTurn || this.#isClosed) return;
    if (stream.sendableBytes === 0 && !stream.isFinDue && !stream.isResetDue) return;
    stream.hasTurn = true;
    if (this.#lastInTurn) this.#lastInTurn.nextInTurn = stream;
    else this.#firstInTurn = stream;
    this.#lastInTurn = stream;
    this.#schedule();
  }

  /** All that `stream` wrote is handed over: its writer hears of it when nothing of it is read from the writer's memory any more. */
  handedOver(stream: WireStream): void {
    if (stream.awaitsTaken) return;
    if (stream.referencedUntil <= this.readUntil) {
      stream.face?.written(true);
      return;
    }
    stream.awaitsTaken = true;
    this.#awaitingTaken.push(stream);
  }

  /** The last words: what is in the control lane, then this GoAway, then the end of the transport. Nothing is sent afterwards. */
  end(goAwayCode: number): void {
    if (this.#isClosed) return;
    this.control(FrameType.GoAway, 0, 0, goAwayCode);
    this.#isClosed = true;
    this.#forgetStreams();
    this.#transport.cork();
    this.#fillFromLane(Number.POSITIVE_INFINITY);
    this.#handOverBatch();
    this.#transport.end();
  }

  /** Sends nothing any more; what was handed over may still be taken. */
  silence(): void {
    this.#isClosed = true;
    this.#laneLength = 0;
    this.#forgetStreams();
  }

  /** Sends nothing any more, and the transport takes nothing. */
  close(): void {
    this.silence();
    this.#isOver = true;
    this.#tellWriters(Number.POSITIVE_INFINITY, false);
  }

  /** To those that wait for the transport to take the bytes up to `end`. */
  #tellWriters(end: number, isTaken: boolean): void {
    for (;;) {
      const first = this.#awaitingTaken[0];
      if (first === undefined || first.referencedUntil > end) return;
      this.#awaitingTaken.shift();
      first.awaitsTaken = false;
      first.face?.written(isTaken);
    }
  }

  #forgetStreams(): void {
    for (let stream = this.#firstInTurn; stream; ) {
      const { nextInTurn } = stream;
      stream.nextInTurn = undefined;
      stream = nextInTurn;
    }
    this.#firstInTurn = undefined;
    this.#lastInTurn = undefined;
  }

  #growLane(): void {
    const larger = Buffer.allocUnsafeSlow(this.#lane.length * 2);
    this.#lane.copy(larger, 0, 0, this.#laneLength);
    this.#lane = larger;
  }

  /** By turns, what is said while all events of a turn are handled leaves together: more streams share a system call, and a message. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    if (this.#isByTurns) setImmediate(this.#flush);
    else process.nextTick(this.#flush);
  }

  get #hasMore(): boolean {
    return this.#laneLength > 0 || this.#firstInTurn !== undefined;
  }

  /**
   * Bytes that may be handed over. A transport that takes within the tick says so by its writableLength before its callbacks come; one that is
   * full of somebody else's bytes is given ours behind them, so that a callback wakes us.
   */
  get #room(): number {
    return this.#port.ahead() - Math.min(this.bytesSent - this.bytesTaken, this.#transport.writableLength);
  }

  readonly #flush = (): void => {
    let left = TICK_LIMIT;
    let room = this.#room;
    try {
      // User code runs in between. What it adds is sent here; if it closes us there is no more.
      while (room > 0 && left > 0 && this.#hasMore) {
        left -= this.#sendBatch(room);
        room = this.#room;
      }
    } finally {
      this.#isScheduled = false;
    }
    if (room > 0 && this.#hasMore) {
      this.#isScheduled = true;
      setImmediate(this.#flush);
    }
    if (room <= 0 && this.#laneLength > CONTROL_LIMIT) this.#port.peerStalled();
  };

  readonly #onTaken = (error?: Error | null): void => {
    // The transport tells the session by its own 'error' and 'close'.
    if (error) return;
    const isScheduled = this.#isScheduled;
    this.#isScheduled = true;
    this.bytesTaken = this.#batchEnds.shift() as number;
    this.#tellWriters(this.bytesTaken, true);
    this.#port.progressed();
    if (isScheduled) return;
    // A transport that has taken a whole batch does not wait for the turn's end: whoever has more to write has just been asked.
    if (this.#hasMore && !this.#isClosed) process.nextTick(this.#flush);
    else this.#isScheduled = false;
  };

  /** One writev: up to `room` bytes, and the frame that crosses it. Returns the bytes handed over. */
  #sendBatch(room: number): number {
    const before = this.bytesSent;
    this.#transport.cork();
    try {
      this.#fillFromLane(room);
      while (this.#firstInTurn && this.#laneLength === 0 && this.bytesSent - before < room) this.#giveTurn();
    } finally {
      this.#handOverBatch();
      this.#port.handedOver();
    }
    return this.bytesSent - before;
  }

  #fillFromLane(room: number): void {
    const end = Math.min(this.#laneLength, Math.ceil(room / HEADER_SIZE) * HEADER_SIZE);
    let at = 0;
    while (at < end) {
      const space = this.#spaceFor(HEADER_SIZE);
      const bytes = Math.min(space - (space % HEADER_SIZE), end - at);
      this.#lane.copy(this.#slab, this.#slabEnd, at, at + bytes);
      this.#slabEnd += bytes;
      at += bytes;
    }
    this.#lane.copyWithin(0, at, this.#laneLength);
    this.#laneLength -= at;
    this.bytesSent += at;
    // A burst's lane does not stay.
    if (this.#laneLength === 0 && this.#lane.length > LAST_SLAB_SIZE)
      this.#lane = Buffer.allocUnsafeSlow(FIRST_LANE_SIZE);
  }

  #giveTurn(): void {
    const stream = this.#firstInTurn as WireStream;
    this.#firstInTurn = stream.nextInTurn;
    if (!this.#firstInTurn) this.#lastInTurn = undefined;
    stream.nextInTurn = undefined;
    stream.hasTurn = false;
    const payload = Math.min(stream.sendableBytes, this.#maxFramePayload, this.#port.ahead());
    if (payload > 0) this.#sendData(stream, payload);
    if (stream.isFinDue) {
      this.#header(FrameType.WindowUpdate, Flag.Fin, stream.id, 0);
      this.#lastOfStreams = this.bytesSent;
      this.#count(FrameType.WindowUpdate, Flag.Fin, stream.id, 0);
      stream.finHandedOver();
    } else if (stream.isResetDue) {
      stream.sendWantedReset();
    }
    if (payload > 0 && stream.sendQueue.length === 0) this.handedOver(stream);
    this.wantsTurn(stream);
  }

  #sendData(stream: WireStream, max: number): void {
    const queue = stream.sendQueue;
    const head = queue.headLength;
    let sent: number;
    if (head >= Math.min(max, COPY_BELOW) && max >= COPY_BELOW) {
      sent = Math.min(head, max);
      this.#header(FrameType.Data, 0, stream.id, sent);
      this.#handOverSegment();
      this.#handOver(queue.take(sent));
      stream.referencedUntil = this.bytesSent + sent;
    } else {
      const space = this.#spaceFor(HEADER_SIZE + Math.min(max, WORTHWHILE_FRAME), HEADER_SIZE + max);
      const fits = Math.min(max, space - HEADER_SIZE);
      sent = queue.copyInto(this.#slab, this.#slabEnd + HEADER_SIZE, fits, COPY_BELOW);
      this.#header(FrameType.Data, 0, stream.id, sent);
      this.#slabEnd += sent;
    }
    this.bytesSent += sent;
    this.#lastOfStreams = this.bytesSent;
    const window = stream.sendCredit;
    stream.sent(sent);
    this.#count(FrameType.Data, 0, stream.id, sent, window);
  }

  #header(type: FrameType, flags: number, streamId: number, length: number): void {
    this.#spaceFor(HEADER_SIZE);
    encodeHeader(this.#slab, this.#slabEnd, type, flags, streamId, length);
    this.#slabEnd += HEADER_SIZE;
    this.bytesSent += HEADER_SIZE;
  }

  /** User code may listen: so all that belongs to the frame is done before. */
  #count(type: FrameType, flags: number, streamId: number, length: number, window?: number): void {
    this.framesSent += 1;
    if (this.#trace.wantsFrames) this.#trace.sent(type, flags, streamId, length, window);
  }

  /** Makes sure that at least `bytes` fit behind the slab's end, and returns how many do. What was handed over is never written again. */
  #spaceFor(bytes: number, wanted: number = bytes): number {
    if (this.#slab.length - this.#slabEnd < bytes) {
      this.#handOverSegment();
      this.#slab = Buffer.allocUnsafeSlow(Math.min(Math.max(this.#slab.length * 4, wanted), LAST_SLAB_SIZE));
      this.#segmentStart = 0;
      this.#slabEnd = 0;
    }
    return this.#slab.length - this.#slabEnd;
  }

  #handOverSegment(): void {
    if (this.#slabEnd === this.#segmentStart) return;
    this.#handOver(this.#slab.subarray(this.#segmentStart, this.#slabEnd));
    this.#segmentStart = this.#slabEnd;
  }

  #handOver(chunk: Buffer): void {
    if (this.#heldChunk) this.#transport.write(this.#heldChunk);
    this.#heldChunk = chunk;
  }

  #handOverBatch(): void {
    this.#handOverSegment();
    if (this.#heldChunk) {
      this.#batchEnds.push(this.bytesSent);
      this.#transport.write(this.#heldChunk, this.#onTaken);
      this.#heldChunk = undefined;
    }
    this.#transport.uncork();
  }
}
