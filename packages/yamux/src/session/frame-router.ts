// The meaning of each received frame, in the order SYN, ACK, credit or data, FIN, RST. This file decides what a peer may do. Others act on it,
// through the RouterPort.

import { ProtocolError } from '../errors.ts';
import type { WireStream } from '../stream/wire-stream.ts';
import type { Trace } from '../trace.ts';
import { Flag, FrameType } from '../wire/constants.ts';
import { Decoder, type FrameSink } from '../wire/decoder.ts';
import { describeHeader } from '../wire/describe.ts';
import type { StreamTable } from './stream-table.ts';

export interface RouterPort {
  /** Handles a valid SYN: returns the new stream, already with its owner, or undefined if it was refused. */
  openInbound(id: number): WireStream | undefined;
  answerPing(value: number): void;
  pong(value: number): void;
  goAway(code: number): void;
  /** The peer broke the protocol: the session ends, and nothing more will be received. */
  violated(error: ProtocolError): void;
}

export class FrameRouter implements FrameSink {
  readonly #table: StreamTable;
  readonly #trace: Trace;
  readonly #port: RouterPort;
  readonly #decoder = new Decoder(this);
  /** Whose payload is being received; undefined while it is skipped. */
  #receiving: WireStream | undefined;
  /** FIN and RST of the Data frame whose payload is being received: they come after it. */
  #endFlags = 0;
  framesReceived = 0;

  constructor(table: StreamTable, trace: Trace, port: RouterPort) {
    this.#table = table;
    this.#trace = trace;
    this.#port = port;
  }

  /** The transport may not end now. */
  get isInsideFrame(): boolean {
    return this.#decoder.insideFrame;
  }

  receive(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      // Nothing else can be thrown here: errors of listeners are thrown outside our loops.
      if (!(error instanceof ProtocolError)) throw error;
      this.#port.violated(error);
    }
  }

  /** Further input is dropped. */
  stop(): void {
    this.#decoder.stop();
  }

  onHeader(type: FrameType, flags: number, streamId: number, length: number): void {
    this.framesReceived += 1;
    if (this.#trace.wantsFrames) {
      this.#trace.received(type, flags, streamId, length, this.#table.get(streamId)?.window.credit);
    }
    switch (type) {
      case FrameType.Data:
      case FrameType.WindowUpdate:
        this.#streamFrame(type, flags, streamId, length);
        break;
      case FrameType.Ping:
        if (flags & Flag.Syn) this.#port.answerPing(length);
        else this.#port.pong(length);
        break;
      case FrameType.GoAway:
        this.#port.goAway(length);
        break;
    }
  }

  onPayload(slice: Buffer, left: number): void {
    const stream = this.#receiving;
    if (stream === undefined) return;
    const endFlags = this.#endFlags;
    if (left === 0) this.#receiving = undefined;
    stream.receiveData(slice);
    if (left === 0) applyEnd(stream, endFlags, 0);
  }

  #streamFrame(type: FrameType, flags: number, id: number, length: number): void {
    const known = this.#table.get(id);
    const stream = flags & Flag.Syn ? this.#opened(known, type, flags, id, length) : known;
    if (stream === undefined) return;
    const hasPayload = type === FrameType.Data && length > 0;
    // Any frame of the peer acknowledges the stream, except a bare RST, which refuses it.
    if (stream.direction === 'outbound' && (!(flags & Flag.Rst) || flags & Flag.Ack || hasPayload))
      stream.acknowledge();
    if (hasPayload) {
      this.#announce(stream, flags, length);
      return;
    }
    const isReset = (flags & Flag.Rst) !== 0;
    if (type === FrameType.WindowUpdate && !isReset && length > 0 && !stream.receiveCredit(length)) {
      this.#violated('raises the send window above 2^32-1', type, flags, id, length);
      return;
    }
    applyEnd(stream, flags, type === FrameType.WindowUpdate ? length : 0);
  }

  #opened(
    known: WireStream | undefined,
    type: FrameType,
    flags: number,
    id: number,
    length: number,
  ): WireStream | undefined {
    if (known) {
      this.#violated('opens a stream whose id is in use', type, flags, id, length);
      return undefined;
    }
    if (!this.#table.isPeerId(id)) {
      this.#violated(
        "opens a stream with an id that is not the peer's to choose: one end has to be the client, the other the server",
        type,
        flags,
        id,
        length,
      );
      return undefined;
    }
    return flags & Flag.Rst ? undefined : this.#port.openInbound(id);
  }

  #announce(stream: WireStream, flags: number, length: number): void {
    if (!stream.lifecycle.canReceive) {
      stream.violated(`Stream ${stream.id} received ${length} bytes of data after the peer's FIN`);
      return;
    }
    const { window } = stream;
    if (!window.announce(length)) {
      this.#violated(`exceeds the receive window of ${window.credit} bytes`, FrameType.Data, flags, stream.id, length);
      return;
    }
    this.#receiving = stream;
    this.#endFlags = flags & (Flag.Fin | Flag.Rst);
  }

  #violated(rule: string, type: FrameType, flags: number, id: number, length: number): void {
    this.#port.violated(new ProtocolError(`${describeHeader(type, flags, id, length)} ${rule}`));
  }
}

/** RST takes precedence over a FIN in the same frame: the end is not clean. */
function applyEnd(stream: WireStream, flags: number, errorCode: number): void {
  if (flags & Flag.Rst) stream.receiveReset(errorCode);
  else if (flags & Flag.Fin) stream.receiveFin();
}
