// Everything to send, in order: first a lane of control frames, then the streams in turn, one frame each. The frames of one tick, or of one
// turn of the event loop, are sent in one corked batch. The bytes that the transport has not taken are limited. The rest stays in the streams,
// whose back-pressure reaches the application. The outbox does not know the meaning of frames.

import type { Duplex } from 'node:stream';
import type { WireStream } from '../stream/wire-stream.ts';
import type { Trace } from '../trace.ts';
import { Flag, FrameType, HEADER_SIZE } from '../wire/constants.ts';
import { encodeHeader } from '../wire/header.ts';
import type { ResolvedOptions } from './options.ts';

/** Bytes to send before reading and other work get their turn. A fast transport takes everything within the tick. */
const TICK_LIMIT = 1_048_576;
/** Bytes of control frames that may wait while the transport takes nothing: answers to a peer that does not read. */
const CONTROL_LIMIT = 1_048_576;
const FIRST_LANE_SIZE = 768;
/** Bytes of the first and of the largest slab. Slabs grow, so an idle session holds little. The largest frame fits into a slab. */
const FIRST_SLAB_SIZE = 256;
const LAST_SLAB_SIZE = 65_536;
/** Payloads below this many bytes are copied behind their header: a separate chunk and iovec cost more than the copy. */
const COPY_BELOW = 4096;
/** The end of a slab stays unused if it has fewer bytes than this, because a short frame is not worth it. */
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
  /** The chunk to write next. It is held so that the last chunk of a batch can be written with the callback. */
  #heldChunk: Buffer | undefined;
  #isScheduled = false;
  /** Nothing is sent any more. */
  #isClosed = false;
  /** Nor is anything taken. */
  #isOver = false;
  /** The ends, in bytesSent, of the batches that the transport has not taken; and the streams that wait for them. */
  #batchEnds: number[] = [];
  #awaitingTaken: WireStream[] = [];
  framesSent = 0;
  /** Bytes handed over. */
  bytesSent = 0;
  /** Bytes of bytesSent that the transport has taken, in whole batches. */
  bytesTaken = 0;
  /** The end, in bytesSent, of the last payload or FIN of a stream. */
  #lastOfStreams = 0;

  constructor(transport: Duplex, { maxFramePayload, flushAt }: OutboxOptions, trace: Trace, port: OutboxPort) {
    this.#transport = transport;
    this.#maxFramePayload = maxFramePayload;
    this.#isByTurns = flushAt === 'turn';
    this.#trace = trace;
    this.#port = port;
  }

  /** Bytes that wait here or in the transport's buffer, without the payload that waits in the streams. */
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

  /** Up to this position in bytesSent, the transport no longer reads from a writer's memory. */
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

  /** All data of `stream` is handed over. Its writer is told when the transport no longer reads from the writer's memory. */
  handedOver(stream: WireStream): void {
    if (stream.awaitsTaken) return;
    if (stream.referencedUntil <= this.readUntil) {
      stream.face?.written(true);
      return;
    }
    stream.awaitsTaken = true;
    this.#awaitingTaken.push(stream);
  }

  /** Sends the control lane and this GoAway, and ends the transport. Nothing is sent afterwards. */
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

  /** Stops sending. The transport may still take bytes that were handed over. */
  silence(): void {
    this.#isClosed = true;
    this.#laneLength = 0;
    this.#forgetStreams();
  }

  /** Stops sending. The transport takes nothing any more. */
  close(): void {
    this.silence();
    this.#isOver = true;
    this.#tellWriters(Number.POSITIVE_INFINITY, false);
  }

  /** Tells the streams that wait for the transport to take the bytes up to `end`. */
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

  /** With `flushAt: 'turn'` all frames of a turn of the event loop are sent together: more streams share a system call and a message. */
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
   * Bytes that may be handed over. The writableLength of a transport that takes bytes within the tick falls before its callbacks come. A transport
   * that is full of other bytes still gets ours, so that a callback comes.
   */
  get #room(): number {
    return this.#port.ahead() - Math.min(this.bytesSent - this.bytesTaken, this.#transport.writableLength);
  }

  readonly #flush = (): void => {
    let left = TICK_LIMIT;
    let room = this.#room;
    try {
      // User code runs in between. Frames that it adds are sent by this loop; if it closes the session, the loop ends.
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
    // A transport that has taken a whole batch gets the next one at once: the writers that have more have just been told.
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
