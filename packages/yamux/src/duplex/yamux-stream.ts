// The stream that the application uses: a Duplex with the shape of a socket, over a wire stream. Received bytes wait in the wire stream until
// Node asks for them, so every way of reading follows Node's own rules. Written bytes wait there until the transport has taken them.

import type { AsyncResource } from 'node:async_hooks';
import { StreamResetError, YamuxError } from '../errors.ts';
import { inspectAs } from '../inspect-as.ts';
import type { Direction, WireStream } from '../stream/wire-stream.ts';
import { MAX_UINT32 } from '../wire/constants.ts';
import { ReadableHalf, type StreamContext } from './readable-half.ts';

type Callback = (error?: Error | null) => void;

/**
 * A stream of a {@link YamuxSession}. The session creates it; applications never do. Use it like a `net.Socket`.
 *
 * `end()` sends FIN and leaves the other direction open, unless `allowHalfOpen` is false. `destroy()` before `end()`, `destroy(error)` and
 * `reset()` send the written data, as far as the peer's credit allows, and then RST, where a socket sends FIN. After `end()`, `destroy()` still
 * sends the written data and the FIN. The stream emits 'error' if the peer resets it or the session fails. It ends cleanly only after the peer's FIN.
 *
 * The callback of a write is called when its buffer may be reused. 'finish' is emitted when the FIN was handed to the transport.
 */
export class YamuxStream extends ReadableHalf {
  #isConnecting = false;
  #resetCode: number | undefined;
  #writeCallback: Callback | undefined;
  #writeLength = 0;
  #writeError: Error | undefined;
  #finalCallback: Callback | undefined;
  /** The error with which the stream ends after its input: the wire stream has ended, and the whole input is not read yet. */
  #fate: Error | undefined;
  /** Bytes that may still be written and dropped, see #writeForNobody(). */
  #allowance = 0;
  /** destroy() was called after end(), and waits until Node has passed on the data that it still buffers. */
  #isLeaving = false;
  #heldEvents: (() => void) | undefined;

  static {
    inspectAs(YamuxStream.prototype, 'YamuxStream', (stream) => {
      const { id, direction, acknowledged, bytesRead, bytesWritten, readableLength, writableLength } = stream;
      const wire = stream.wire;
      const { unreadBytes, sendCredit } = wire;
      const figures = { bytesRead, bytesWritten, readableLength, unreadBytes, writableLength, sendCredit };
      return {
        id,
        direction,
        state: wire.lifecycle.state,
        acknowledged,
        ...figures,
        receiveCredit: wire.window.credit,
      };
    });
  }

  /** @internal */
  constructor(wire: WireStream, shared: StreamContext, allowHalfOpen: boolean, context?: AsyncResource) {
    super(wire, shared, allowHalfOpen, context);
    // The class is a StreamFace but does not declare it: those members are internal and not in the published types.
    wire.attach(this);
  }

  /** The stream id: odd if the client opened the stream, even if the server did, 0 while `connecting`. */
  get id(): number {
    return this.wire.id;
  }

  /** `'outbound'` if this side opened the stream, `'inbound'` if the peer did. */
  get direction(): Direction {
    return this.wire.direction;
  }

  /**
   * On a stream that we opened: whether the peer has answered, with an ACK or any other frame; the event 'acknowledged' tells when. On a stream
   * that the peer opened: whether the application got it and our ACK was sent. Some peers (rust-yamux, libp2p) answer only with their first data,
   * so never while they only read.
   */
  get acknowledged(): boolean {
    return this.wire.isAcknowledged;
  }

  /** True between `session.connect()` and the event 'connect'. Data that is written meanwhile is sent after the open. */
  override get connecting(): boolean {
    return this.#isConnecting && !this.destroyed;
  }

  /** Bytes of payload received. */
  get bytesRead(): number {
    return this.wire.bytesReceived;
  }

  /** Bytes of payload handed to the transport. */
  get bytesWritten(): number {
    return this.wire.bytesSent;
  }

  /**
   * Ends both directions: sends the written data, as far as the peer's credit allows, then RST. The stream closes without an 'error' on this
   * side. The peer sees `errorCode`.
   *
   * @param errorCode a number of your own protocol, 0 to 2^32-1. go-yamux and this package pass it to the application.
   * @throws {RangeError} if it is not such a number.
   */
  reset(errorCode = 0): void {
    if (!Number.isInteger(errorCode) || errorCode < 0 || errorCode > MAX_UINT32) {
      throw new RangeError(`Expected errorCode to be an integer from 0 to ${MAX_UINT32}, got ${errorCode}`);
    }
    this.#resetCode ??= errorCode;
    this.destroy();
  }

  override resetAndDestroy(): this {
    this.reset();
    return this;
  }

  override destroy(given?: Error): this {
    const error = given && this.#isLoopEnd(given) ? destroyedByLoop(given) : given;
    if (this.destroyed || this.#isLeaving) return super.destroy(error);
    if (this.#hasWritesInNode && this.wire.isReferenced && this.#isLeft(error)) {
      // Node would drop the rest of a finished response: Node passes a write on only after the callback of the write before it.
      this.#isLeaving = true;
      this.stopIdle();
      this.wire.leaveInput();
      return this;
    }
    this.#takeAllWritten();
    return super.destroy(error);
  }

  /** Node's `for await` loops destroy the stream with an AbortError without a cause, unless both sides have ended. */
  #isLoopEnd({ name, cause }: Error): boolean {
    return this.readableEnded && !this.writableEnded && name === 'AbortError' && cause === undefined;
  }

  // Writing.

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.wire.write(chunk);
    this.#send(chunk.length, callback);
  }

  override _writev(chunks: Array<{ chunk: Buffer; encoding: BufferEncoding }>, callback: Callback): void {
    let length = 0;
    for (const { chunk } of chunks) {
      this.wire.write(chunk);
      length += chunk.length;
    }
    this.#send(length, callback);
  }

  #send(length: number, callback: Callback): void {
    if (length === 0) {
      callback();
      return;
    }
    this.#writeCallback = callback;
    this.#writeLength = length;
    if (this.#fate) this.#writeForNobody();
    else if (!this.#isConnecting) this.wire.askForTurn();
  }

  override _final(callback: Callback): void {
    if (this.#fate) {
      // The peer has sent FIN and RST, and all written data has been handled.
      if (this.readableEnded) callback();
      // As on a socket: the reader gets 'end' before destroySoon() destroys the stream.
      else setImmediate(callback);
      return;
    }
    this.#finalCallback = callback;
    this.wire.finish();
    if (!this.#isConnecting) this.wire.askForTurn();
  }

  /** @internal */
  written(isTaken: boolean): void {
    if (this.#fate && !this.destroyed) {
      this.#writeForNobody();
      return;
    }
    if (!isTaken) this.#writeError ??= notSent();
    this.enter(this.#callBackWriter);
  }

  #callBackWriter(): void {
    const callback = this.#writeCallback;
    this.#writeCallback = undefined;
    callback?.(this.#writeError);
    if (this.#isLeaving && !this.wire.isReferenced) super.destroy();
  }

  /** @internal */
  finished(): void {
    this.enter(this.#callBackFinal);
  }

  #callBackFinal(): void {
    const callback = this.#finalCallback;
    this.#finalCallback = undefined;
    callback?.();
  }

  /** Whether Node buffers data behind a write that is in progress. */
  get #hasWritesInNode(): boolean {
    return this.writableLength > (this.#writeCallback ? this.#writeLength : 0) && !this.wire.lifecycle.ended;
  }

  /** Called before destroy(): passes the data that Node would drop to the wire stream, if the write in progress was copied and so can be completed. */
  #takeAllWritten(): void {
    if (!this.#hasWritesInNode || this.wire.isReferenced || this.wire.id === 0) return;
    this.wire.sendQueue.own();
    // Through the entry for calls from below: an error that the writer's callback throws must not prevent the destroy().
    this.enter(this.#callBackWriter);
  }

  // How it ends.

  override _destroy(error: Error | null, callback: Callback): void {
    this.stopIdle();
    const wire = this.wire;
    let isLost = wire.lifecycle.ended;
    // A FIN means that everything was sent. Node may still buffer data and would drop it; then the end must not look clean.
    if (this.#isLeft(error) && wire.id !== 0 && !this.#hasWritesInNode) wire.leave();
    else isLost = !wire.breakOff(this.#resetCode ?? 0);
    // Creating an error costs more than the rest of the end of a stream, so it is created only if something waits for it.
    if (isLost && this.#writeCallback) this.#writeError ??= error ?? notSent();
    wire.settleWrites();
    // Node emits 'error' and 'close' after this callback; destroyed and errored it says at once. Without an error there is nothing to
    // wait for: and while Node waits for a callback without one, it takes the stream for cleanly ended.
    if (this.isHeld && error) this.#heldEvents = () => this.tellDestroyed(error, callback);
    else this.tellDestroyed(error, callback);
  }

  /** The application has called end() and then destroy(): that is not a reset. */
  #isLeft(error: Error | null | undefined): boolean {
    return !error && this.#resetCode === undefined && this.writableEnded;
  }

  /** @internal */
  failed(error: Error): void {
    // A socket hears of an RST in a later read than of the bytes before it, and libraries count on that: node:tls closes its socket after the
    // alert, and would emit a second error if the RST behind it came at once.
    if (error instanceof StreamResetError) setImmediate(() => this.enter(this.#fail, error));
    else this.enter(this.#fail, error);
  }

  #fail(error: Error): void {
    if (this.#isLeaving) super.destroy();
    if (this.destroyed) {
      this.#writeError ??= error;
      this.wire.settleWrites();
    } else if (this.wire.isInputWhole && !this.readableEnded) {
      this.#fate = error;
      this.#allowance = this.#unread + this.writableHighWaterMark;
      this.once('end', () => {
        if (this.#writeCallback) this.destroy(error);
        // There is nothing left to send, and no peer.
        else if (this.#finalCallback) this.#callBackFinal();
        else this.end();
      });
      this.#writeForNobody();
    } else {
      this.#writeError = error;
      this.destroy(error);
    }
  }

  get #unread(): number {
    return this.wire.unreadBytes + this.readableLength;
  }

  /**
   * Nothing can be sent any more. While input is unread, a write waits and fails after the input. But in an echo, reading waits for
   * writing. So as many written bytes are dropped as input is unread, and they do not fill the buffer.
   */
  #writeForNobody(): void {
    const callback = this.#writeCallback;
    if (callback === undefined || this.#fate === undefined) return;
    this.wire.sendQueue.clear();
    if (this.wire.isReferenced) {
      this.wire.settleWrites();
      return;
    }
    const couldFill = this.writableLength + this.#unread >= this.writableHighWaterMark;
    if (couldFill && this.#allowance > 0) {
      this.#allowance -= this.#writeLength;
      this.#writeCallback = undefined;
      process.nextTick(callback);
    } else {
      this.wire.lingerFor(this.#fate);
    }
  }

  /** @internal */
  gaveUp(error: Error): void {
    this.enter(this.#giveUp, error);
  }

  #giveUp(error: Error): void {
    this.destroy(error);
  }

  /** @internal */
  moved(): void {
    this.touchIdle();
  }

  /** @internal */
  answered(): void {
    this.enter(this.#tellAcknowledged);
  }

  #tellAcknowledged(): void {
    this.emit('acknowledged');
  }

  // What the session does.

  /** @internal Called for connect(): the stream will be opened later. */
  beginConnecting(): void {
    this.#isConnecting = true;
  }

  /** @internal The stream is open. */
  connected(): void {
    // Later, so that the caller of connect() can listen first, and http.Agent can give the socket to its request.
    setImmediate(() => this.enter(this.#tellConnected));
  }

  #tellConnected(): void {
    if (this.destroyed) return;
    this.#isConnecting = false;
    // Before the events: an error that a listener throws must not hold written data back.
    this.wire.askForTurn();
    this.emit('connect');
    this.emit('ready');
  }

  /** @internal Holds all events until releaseEvents(), because the code that awaits the stream cannot listen yet. */
  holdEvents(): void {
    this.isHeld = true;
  }

  /** @internal */
  releaseEvents(): void {
    this.isHeld = false;
    const events = this.#heldEvents;
    this.#heldEvents = undefined;
    if (events) this.enter(events);
    else this.start();
  }

  /** @internal Emits the held events. From now on the stream delivers data within the tick in which it arrives. */
  start(): void {
    if (this.wire.unreadBytes > 0 || this.wire.isInputWhole) this.arrived();
    else if (this.readableFlowing) this.read(0);
  }
}

/** Node's error, with a message that says why it happened and what to do. */
function destroyedByLoop(cause: Error): Error {
  const message =
    'A for await, text() or the like has read this stream to its end and destroyed it, before this side was ended: to answer behind it, read stream.iterator({ destroyOnReturn: false })';
  return Object.assign(new Error(message, { cause }), { name: cause.name, code: 'ABORT_ERR' });
}

function notSent(): YamuxError {
  const message = 'The stream was destroyed before this was sent';
  return new YamuxError('ERR_YAMUX_STREAM_DESTROYED', message, { scope: 'stream', origin: 'local' });
}
