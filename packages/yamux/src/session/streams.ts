// Opens, accepts and ends the streams of a session. Uses the outbox to send their frames, and does not know how the session itself ends.

import type { AsyncResource } from 'node:async_hooks';
import type { Duplex } from 'node:stream';
import { openingContext } from '../duplex/async-context.ts';
import type { StreamContext } from '../duplex/readable-half.ts';
import { YamuxStream } from '../duplex/yamux-stream.ts';
import { NextTurn } from '../next-turn.ts';
import { CreditWait } from '../stream/credit-wait.ts';
import type { StreamPort } from '../stream/stream-port.ts';
import { WireStream } from '../stream/wire-stream.ts';
import type { Trace } from '../trace.ts';
import { Flag, FrameType } from '../wire/constants.ts';
import { AcceptQueue } from './accept-queue.ts';
import { HandOver } from './hand-over.ts';
import { OpenQueue } from './open-queue.ts';
import type { OpenOptions, ResolvedOptions } from './options.ts';
import type { Outbox } from './outbox.ts';
import { ResetBucket } from './reset-bucket.ts';
import { type Role, StreamTable } from './stream-table.ts';
import type { Waiter } from './waiting-line.ts';

export interface StreamsPort {
  /** Whether a SYN of the peer violates the protocol, because the peer has sent or read GoAway. */
  refusesInbound(): boolean;
  hasListeners(): boolean;
  /** Emits 'stream'. */
  emit(stream: YamuxStream): void;
  /** ms; undefined before the first pong. */
  roundTrip(): number | undefined;
  measureRoundTrip(): void;
  /** The last stream is gone. */
  emptied(): void;
}

export class Streams {
  readonly table: StreamTable;
  readonly opens: OpenQueue;
  readonly accepts: AcceptQueue;
  readonly creditWait: CreditWait;
  readonly #shared: StreamContext;
  readonly #options: ResolvedOptions;
  readonly #outbox: Outbox;
  readonly #trace: Trace;
  readonly #port: StreamsPort;
  readonly #resets: ResetBucket;
  readonly #handOver = new HandOver();
  readonly #streamPort: StreamPort;
  /** Streams of connect() that wait for a slot. */
  readonly #connecting = new Map<WireStream, Waiter<number>>();

  constructor(
    transport: Duplex,
    role: Role,
    options: ResolvedOptions,
    outbox: Outbox,
    trace: Trace,
    port: StreamsPort,
  ) {
    const { clock } = options;
    this.table = new StreamTable(role);
    this.#shared = { clock, transport, turns: new NextTurn((stream) => stream.turnCame()) };
    this.#trace = trace;
    this.#options = options;
    this.#outbox = outbox;
    this.#port = port;
    this.creditWait = new CreditWait(clock);
    this.#resets = new ResetBucket(options.resetBurst, clock.now());
    this.opens = new OpenQueue(options, () => this.table.takeId());
    this.accepts = new AcceptQueue(options.acceptBacklog, this.#handOver, {
      hasListeners: () => port.hasListeners(),
      emit: (stream) => port.emit(stream),
      take: (wire) => this.#faceOf(wire),
      taken: (wire) => this.#taken(wire),
    });
    this.#streamPort = {
      ...options,
      creditWait: this.creditWait,
      roundTrip: () => port.roundTrip(),
      measureRoundTrip: () => port.measureRoundTrip(),
      sendCredit: (stream, delta) => outbox.control(FrameType.WindowUpdate, 0, stream.id, delta),
      sendReset: (stream, errorCode) => outbox.control(FrameType.WindowUpdate, Flag.Rst, stream.id, errorCode),
      wantsTurn: (stream) => outbox.wantsTurn(stream),
      readUntil: () => outbox.readUntil,
      handedOver: (stream) => outbox.handedOver(stream),
      acknowledged: (stream) => this.opens.answered(stream.id),
      rapidlyReset: () => this.#resets.take(clock.now()),
      ended: (stream) => this.#ended(stream),
      released: (stream) => this.table.released(stream),
    };
  }

  /** Resolves with a stream when its SYN has a slot. The stream emits no event before the awaiting code can listen. */
  open({ signal, allowHalfOpen }: OpenOptions): Promise<YamuxStream> {
    const context = openingContext();
    return new Promise((resolve, reject) => {
      const opened = (id: number): void => {
        const wire = new WireStream(this.#streamPort, 'outbound');
        const stream = this.#faceOf(wire, allowHalfOpen, context);
        this.#handOver.hold(stream);
        this.#begin(wire, id);
        resolve(stream);
      };
      this.opens.open({ resolve: opened, reject, signal });
    });
  }

  /** Returns a stream at once and opens it when its SYN has a slot; with a `refusal` the stream fails. */
  connect({ signal, allowHalfOpen }: OpenOptions, refusal: Error | undefined): YamuxStream {
    const wire = new WireStream(this.#streamPort, 'outbound');
    const stream = this.#faceOf(wire, allowHalfOpen, openingContext());
    stream.beginConnecting();
    const opener: Waiter<number> = {
      resolve: (id) => {
        this.#connecting.delete(wire);
        this.#begin(wire, id);
        stream.connected();
      },
      reject: (error) => {
        this.#connecting.delete(wire);
        wire.expel(error as Error);
      },
      signal,
    };
    this.#connecting.set(wire, opener);
    // Later, as on a socket, so that the caller can listen before the failure.
    if (refusal) process.nextTick(() => opener.reject(refusal));
    else this.opens.open(opener);
    return stream;
  }

  /** Handles a SYN of the peer: returns the stream, or refuses it with RST and returns undefined. */
  openInbound(id: number): WireStream | undefined {
    if (this.#mustRefuse()) {
      this.#outbox.control(FrameType.WindowUpdate, Flag.Rst, id, 0);
      return undefined;
    }
    const wire = new WireStream(this.#streamPort, 'inbound');
    wire.id = id;
    this.table.add(wire);
    this.accepts.offer(wire);
    return wire;
  }

  #mustRefuse(): boolean {
    const { maxInboundStreams, clock } = this.#options;
    const isFull = this.accepts.isFull || this.table.inboundHeld >= maxInboundStreams;
    return isFull || this.#port.refusesInbound() || this.#resets.isEmpty(clock.now());
  }

  #faceOf(wire: WireStream, allowHalfOpen = this.#options.allowHalfOpen, context?: AsyncResource): YamuxStream {
    return new YamuxStream(wire, this.#shared, allowHalfOpen, context);
  }

  #begin(wire: WireStream, id: number): void {
    wire.id = id;
    this.table.add(wire);
    this.#outbox.control(FrameType.WindowUpdate, Flag.Syn, id, 0);
    if (wire.face) this.#trace.streamOpened(wire.face);
  }

  #taken(wire: WireStream): void {
    this.#outbox.control(FrameType.WindowUpdate, Flag.Ack, wire.id, 0);
    wire.acknowledge();
    if (wire.face) this.#trace.streamOpened(wire.face);
  }

  #ended(wire: WireStream): void {
    const opener = this.#connecting.get(wire);
    if (opener) {
      this.#connecting.delete(wire);
      this.opens.cancel(opener);
    }
    if (wire.id === 0) return;
    this.table.ended(wire);
    if (wire.face) this.#trace.streamClosed(wire.face);
    this.accepts.drop(wire);
    if (wire.direction === 'outbound') this.opens.answered(wire.id);
    if (this.table.size === 0) this.#port.emptied();
  }

  /** Rejects waiting calls with `refusal`, and ends every stream with `error`. */
  stop(refusal: Error, error: Error): void {
    this.opens.stop(refusal);
    this.accepts.failAll(refusal);
    for (const wire of this.table.all()) wire.sessionEnded(error);
  }
}
