// Turns bytes in any chunking into headers and slices of payload, and passes them to a sink. The decoder never assembles a frame, so the length
// in a peer's header does not decide how much memory is held: at most eleven bytes of an incomplete header. Does not know streams, windows
// or sessions.

import { ProtocolError } from '../errors.ts';
import { FrameType, HEADER_SIZE, PROTOCOL_VERSION } from './constants.ts';
import { readUint16, readUint32 } from './header.ts';

export interface FrameSink {
  /** A whole header. For Data with `length` > 0, onPayload follows until `length` bytes have passed. */
  onHeader(type: FrameType, flags: number, streamId: number, length: number): void;
  /** The next bytes of the Data frame begun last; a view into the chunk. `left`: bytes of the payload still to come after these. */
  onPayload(slice: Buffer, left: number): void;
}

export class Decoder {
  readonly #sink: FrameSink;
  /** The first bytes of a header that was split between chunks. */
  readonly #partial: Buffer = Buffer.allocUnsafeSlow(HEADER_SIZE);
  #partialLength = 0;
  #payloadLeft = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** True between the first byte of a header and the last byte of its payload: an end of the transport here cuts a frame. */
  get insideFrame(): boolean {
    return this.#partialLength > 0 || this.#payloadLeft > 0;
  }

  /** From now on, also within the current push, nothing is passed to the sink. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Takes the next bytes of the transport. The sink runs user code, which may destroy anything. So the decoder updates its state before each
   * call of the sink, and checks stop() between two calls.
   *
   * @throws {ProtocolError} on a header with another version or an unknown type; the decoder is then stopped.
   */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      if (this.#payloadLeft > 0) {
        at = this.#takePayload(chunk, at);
      } else if (this.#partialLength === 0 && chunk.length - at >= HEADER_SIZE) {
        this.#header(chunk, at);
        at += HEADER_SIZE;
      } else {
        at = this.#takePartialHeader(chunk, at);
      }
    }
  }

  #takePayload(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#payloadLeft);
    this.#payloadLeft -= end - at;
    const whole = at === 0 && end === chunk.length;
    this.#sink.onPayload(whole ? chunk : chunk.subarray(at, end), this.#payloadLeft);
    return end;
  }

  #takePartialHeader(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + HEADER_SIZE - this.#partialLength);
    this.#partialLength += chunk.copy(this.#partial, this.#partialLength, at, end);
    if (this.#partialLength === HEADER_SIZE) {
      this.#partialLength = 0;
      this.#header(this.#partial, 0);
    }
    return end;
  }

  #header(bytes: Buffer, at: number): void {
    const version = bytes[at] as number;
    const type = bytes[at + 1] as number;
    if (version !== PROTOCOL_VERSION) {
      this.#stopped = true;
      throw new ProtocolError(
        `Expected protocol version ${PROTOCOL_VERSION} in a frame header, got ${version}: what the transport carries is not Yamux`,
      );
    }
    if (type > FrameType.GoAway) {
      this.#stopped = true;
      throw new ProtocolError(
        `Expected a frame type from 0 to ${FrameType.GoAway}, got ${type}: what the transport carries is not Yamux`,
      );
    }
    const length = readUint32(bytes, at + 8);
    if (type === FrameType.Data) this.#payloadLeft = length;
    this.#sink.onHeader(type as FrameType, readUint16(bytes, at + 2), readUint32(bytes, at + 4), length);
  }
}
