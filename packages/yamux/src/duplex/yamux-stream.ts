// A stream as the application has it: a Duplex, shaped like a socket, over a wire stream. What arrives waits in the wire stream until Node asks
// for it, so that every way of reading works by Node's own rules; what is written waits there until the transport has it.

import type { AsyncResource } from 'node:async_hooks';
import { StreamResetError, YamuxError } from '../errors.ts';
import { inspectAs } from '../inspect-as.ts';
import type { Direction, WireStream } from '../stream/wire-stream.ts';
import { MAX_UINT32 } from '../wire/constants.ts';
import { ReadableHalf } from './readable-half.ts';
import type { SocketContext } from './socket-shape.ts';

type Callback = (error?: Error | null) => void;

/**
 * A stream of a {@link YamuxSession}, which makes it: never constructed by an application. It is used as a `net.Socket` is.
 *
 * `end()` sends FIN and leaves the other direction open, unless `allowHalfOpen` is false. `destroy()` before `end()`, `destroy(error)` and
 * `reset()` send what was written, as far as the peer's credit goes, and then RST, where a socket sends FIN; after `end()`, `destroy()` lets
 * what was written and the FIN go out. A stream that the peer reset, or whose session died, errors; it ends cleanly only if the peer's FIN had come.
 *
 * A write's callback comes when its memory may be used again, 'finish' when the FIN was handed to the transport.
 */
export class YamuxStream extends ReadableHalf {
  #isConnecting = false;
  #resetCode: number | undefined;
  #writeCallback: Callback | undefined;
  #writeLength = 0;
  #writeError: Error | undefined;
  #finalCallback: Callback | undefined;
  /** The wire is over, and what was received is whole and not yet read: with this the stream ends after it. */
  #fate: Error | undefined;
  /** Bytes that may still be written for nobody, see #writeForNobody(). */
  #allowance = 0;
  /** destroy() after end(), which waits for what Node still holds. */
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
  constructor(wire: WireStream, shared: SocketContext, allowHalfOpen: boolean, context?: AsyncResource) {
    super(wire, shared, allowHalfOpen, context);
    // A StreamFace, though the class does not say so: its members are internal, and not in the published types.
    wire.attach(this);
  }

  /** Odd for streams that the client opened, even for the server's; 0 while `connecting`. */
  get id(): number {
    return this.wire.id;
  }

  /** Who opened it: `'outbound'` is this side, `'inbound'` the peer. */
  get direction(): Direction {
    return this.wire.direction;
  }

  /**
   * On a stream that we opened: the peer has answered, by an ACK or any other frame; the event 'acknowledged' tells when. On one that
   * the peer opened: it was handed to the application, and our ACK sent. Some peers answer only with their first data (rust-yamux,
   * libp2p), and so never while they only read.
   */
  get acknowledged(): boolean {
    return this.wire.isAcknowledged;
  }

  /** Made by `session.connect()` and not opened yet: 'connect' tells when. What is written meanwhile goes out then. */
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
   * Ends both directions: what was written goes out as far as the peer's credit goes, then RST. The stream closes without an 'error' here; the
   * peer sees `errorCode`.
   *
   * @param errorCode a number of your protocol's own, 0 to 2^32-1; go-yamux and this package tell it to their application.
   * @throws {RangeError} if it is none.
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
      // Node would forget the rest of a finished answer, and gives it only when the write before it is done.
      this.#isLeaving = true;
      this.stopIdle();
      this.wire.leaveInput();
      return this;
    }
    this.#takeAllWritten();
    return super.destroy(error);
  }

  /** Node's loops destroy what they have read by an AbortError that has no cause, unless both sides have ended. */
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
      // The peer has said all and is gone, and nothing that we wrote is left.
      if (this.readableEnded) callback();
      // As a socket's: who reads has the end by then, before destroySoon() destroys.
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

  /** Node keeps what was written behind a write under way. */
  get #hasWritesInNode(): boolean {
    return this.writableLength > (this.#writeCallback ? this.#writeLength : 0) && !this.wire.lifecycle.ended;
  }

  /** Before destroy(): the wire stream gets what Node would forget, if it has the write under way in its own memory and so may call it done. */
  #takeAllWritten(): void {
    if (!this.#hasWritesInNode || this.wire.isReferenced || this.wire.id === 0) return;
    this.wire.sendQueue.own();
    // By the way that calls from below take: what the writer's callback throws must not keep the stream from being destroyed.
    this.enter(this.#callBackWriter);
  }

  // How it ends.

  override _destroy(error: Error | null, callback: Callback): void {
    this.stopIdle();
    const wire = this.wire;
    let isLost = wire.lifecycle.ended;
    // A FIN says that all has come: not where Node keeps something, and would forget it.
    if (this.#isLeft(error) && wire.id !== 0 && !this.#hasWritesInNode) wire.leave();
    else isLost = !wire.breakOff(this.#resetCode ?? 0);
    // An error costs more than the rest of a stream's end: it is made for who waits for it.
    if (isLost && this.#writeCallback) this.#writeError ??= error ?? notSent();
    wire.settleWrites();
    // Node emits 'error' and 'close' after this callback; destroyed and errored it says at once. Without an error there is nothing to
    // wait for: and while Node waits for a callback without one, it takes the stream for cleanly ended.
    if (this.isHeld && error) this.#heldEvents = () => this.tellDestroyed(error, callback);
    else this.tellDestroyed(error, callback);
  }

  /** The application has ended its side and lets go: that is no reset. */
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
        // Nothing is left to say, and nobody to say it to.
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
   * Nothing can be sent any more. While the rest of the input is still to be read, a write waits, to fail after it. But reading must not wait
   * for writing, as it does in an echo: so what could fill the buffer before the end is dropped, as much as is unread.
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

  /** @internal Made by connect(): it is to be opened. */
  beginConnecting(): void {
    this.#isConnecting = true;
  }

  /** @internal It is open. */
  connected(): void {
    // Not before who called connect() can listen, and http.Agent has told its request of the socket.
    setImmediate(() => this.enter(this.#tellConnected));
  }

  #tellConnected(): void {
    if (this.destroyed) return;
    this.#isConnecting = false;
    // First: what a listener throws keeps nothing back that was written.
    this.wire.askForTurn();
    this.emit('connect');
    this.emit('ready');
  }

  /** @internal From here to releaseEvents() no event comes out: the code that awaits the stream can't listen yet. */
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

  /** @internal Somebody can listen now: what has come already is told, and who listens is served within the tick from the first byte on. */
  start(): void {
    if (this.wire.unreadBytes > 0 || this.wire.isInputWhole) this.arrived();
    else if (this.readableFlowing) this.read(0);
  }
}

/** The error of Node, in words that say why and what to do. */
function destroyedByLoop(cause: Error): Error {
  const message =
    'A for await, text() or the like has read this stream to its end and destroyed it, before this side was ended: to answer behind it, read stream.iterator({ destroyOnReturn: false })';
  return Object.assign(new Error(message, { cause }), { name: cause.name, code: 'ABORT_ERR' });
}

function notSent(): YamuxError {
  const message = 'The stream was destroyed before this was sent';
  return new YamuxError('ERR_YAMUX_STREAM_DESTROYED', message, { scope: 'stream', origin: 'local' });
}
