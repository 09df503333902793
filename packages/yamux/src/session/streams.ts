// The streams of a session: how they come to be on either side, who gets them, and when they are gone. Knows the outbox, by which they
// speak, and nothing of how the session itself lives and ends.

import type { Duplex } from 'node:stream';
import { keepContext } from '../stream/async-context.ts';
import { YamuxStream } from '../stream/stream.ts';
import type { StreamPort } from '../stream/stream-port.ts';
import type { Trace } from '../trace.ts';
import { Flag, FrameType } from '../wire/constants.ts';
import { AcceptQueue } from './accept-queue.ts';
import { HandOver } from './hand-over.ts';
import { OpenQueue } from './open-queue.ts';
import type { ResolvedOptions } from './options.ts';
import type { Outbox } from './outbox.ts';
import { ResetBucket } from './reset-bucket.ts';
import { type Role, StreamTable } from './stream-table.ts';

export interface StreamsPort {
  /** Whether a SYN of the peer is against what it knows. */
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
  readonly #options: ResolvedOptions;
  readonly #outbox: Outbox;
  readonly #trace: Trace;
  readonly #port: StreamsPort;
  readonly #resets: ResetBucket;
  readonly #handOver = new HandOver();
  readonly #streamPort: StreamPort;

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
    this.#trace = trace;
    this.#options = options;
    this.#outbox = outbox;
    this.#port = port;
    this.#resets = new ResetBucket(options.resetBurst, clock.now());
    this.opens = new OpenQueue(options, () => this.#createOutbound());
    this.accepts = new AcceptQueue(options.acceptBacklog, this.#handOver, {
      hasListeners: () => port.hasListeners(),
      emit: (stream) => port.emit(stream),
      acknowledge: (stream) => {
        outbox.control(FrameType.WindowUpdate, Flag.Ack, stream.id, 0);
        stream.acknowledge();
      },
    });
    this.#streamPort = {
      ...options,
      transport,
      roundTrip: () => port.roundTrip(),
      measureRoundTrip: () => port.measureRoundTrip(),
      sendCredit: (stream, delta) => outbox.control(FrameType.WindowUpdate, 0, stream.id, delta),
      sendReset: (stream, errorCode) => outbox.control(FrameType.WindowUpdate, Flag.Rst, stream.id, errorCode),
      wantsTurn: (stream) => outbox.wantsTurn(stream),
      acknowledged: (stream) => this.opens.answered(stream.id),
      rapidlyReset: () => this.#resets.take(clock.now()),
      released: (stream) => this.#forgetIfOver(stream),
      ended: (stream) => this.#ended(stream),
    };
  }

  /** The peer opens a stream: it goes to its owner, or is refused with RST, and then undefined. */
  openInbound(id: number): YamuxStream | undefined {
    if (this.#mustRefuse()) {
      this.#outbox.control(FrameType.WindowUpdate, Flag.Rst, id, 0);
      return undefined;
    }
    const stream = this.#create(id, 'inbound');
    this.accepts.offer(stream);
    return stream;
  }

  #mustRefuse(): boolean {
    const { maxInboundStreams, clock } = this.#options;
    const isFull = this.accepts.isFull || this.table.inboundHeld >= maxInboundStreams;
    return isFull || this.#port.refusesInbound() || this.#resets.isEmpty(clock.now());
  }

  #createOutbound(): YamuxStream | undefined {
    const id = this.table.takeId();
    if (id === undefined) return undefined;
    const stream = this.#create(id, 'outbound');
    keepContext(stream);
    this.#outbox.control(FrameType.WindowUpdate, Flag.Syn, id, 0);
    this.#handOver.hold(stream);
    return stream;
  }

  #create(id: number, direction: 'inbound' | 'outbound'): YamuxStream {
    const stream = new YamuxStream(this.#streamPort, id, direction);
    this.table.add(stream);
    this.#trace.streamOpened(stream);
    return stream;
  }

  #ended(stream: YamuxStream): void {
    this.table.remove(stream);
    this.#trace.streamClosed(stream);
    this.accepts.drop(stream);
    this.#forgetIfOver(stream);
    if (stream.direction === 'outbound') this.opens.answered(stream.id);
    if (this.table.size === 0) this.#port.emptied();
  }

  // The end on the wire and the application's may come in either order; this is called at both.
  #forgetIfOver(stream: YamuxStream): void {
    const isOver = stream.lifecycle.ended && stream.isReleased;
    if (stream.direction === 'inbound' && isOver) this.table.forgetInbound();
  }

  /** Calls that wait fail with `refusal`; every stream that is left ends with `error`. */
  stop(refusal: Error, error: Error): void {
    this.opens.stop(refusal);
    this.accepts.failAll(refusal);
    for (const stream of this.table) stream.sessionEnded(error);
  }
}
