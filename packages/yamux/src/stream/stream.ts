// One stream as the application has it: a Duplex, shaped like a socket. Glue between node:stream and what the wire knows (lifecycle,
// windows, send queue). Knows nothing of sessions: it speaks to its own through a StreamPort.

import { StreamResetError, YamuxError } from '../errors.ts';
import { IdleTimer } from '../idle-timer.ts';
import { inspectAs } from '../inspect-as.ts';
import { throwOutside } from '../throw-outside.ts';
import { MAX_UINT32 } from '../wire/constants.ts';
import { Intake } from './intake.ts';
import { Lifecycle } from './lifecycle.ts';
import { overrideGetter } from './override-getter.ts';
import { SendQueue } from './send-queue.ts';
import { SendWindow } from './send-window.ts';
import { SocketShape } from './socket-shape.ts';
import type { StreamPort } from './stream-port.ts';

type Callback = (error?: Error | null) => void;
type Direction = 'inbound' | 'outbound';

const LOCAL = { scope: 'stream', origin: 'local' } as const;

/**
 * A stream of a {@link YamuxSession}, which makes it: never constructed by an application.
 *
 * `end()` sends FIN and leaves the other direction open. `destroy(error)`, and `destroy()` before `end()`, send RST; after `end()`,
 * `destroy()` lets what was written and the FIN go out first. A stream that the peer reset, or whose session died, errors; it never
 * ends cleanly.
 *
 * The write callback comes when the last byte was handed to the transport, 'finish' when the FIN was.
 */
export class YamuxStream extends SocketShape {
  /** Odd for streams that the client opened, even for the server's. */
  readonly id: number;
  /** Who opened it: `'outbound'` is this side, `'inbound'` the peer. */
  readonly direction: Direction;

  readonly #port: StreamPort;
  readonly #sendWindow = new SendWindow();
  #bytesWritten = 0;
  #acknowledged = false;
  #writeCallback: Callback | undefined;
  #finalCallback: Callback | undefined;
  /** destroy() after end(): nobody reads any more, and the Duplex lives on until the FIN is out. */
  #lettingGo = false;
  /** Set while no 'error' and no 'close' may come out, and then what lets them out. */
  #held = false;
  #heldEvents: (() => void) | undefined;
  #resetCode: number | undefined;
  #halfClose: IdleTimer | undefined;

  /** @internal */
  readonly lifecycle: Lifecycle = new Lifecycle();
  /** @internal What arrived, and the window for it. */
  readonly intake: Intake;
  /** @internal What was written and not handed over. */
  readonly sendQueue: SendQueue = new SendQueue();
  /** @internal The application has destroyed it, or read it to its end: it keeps nothing any more. */
  isReleased = false;
  /** @internal Links of the outbox's rotation. */
  nextInTurn: YamuxStream | undefined;
  /** @internal */
  hasTurn = false;

  static {
    // destroy() after end() keeps the Duplex working until the FIN is out; to everybody else it is destroyed at once.
    overrideGetter(YamuxStream.prototype, 'destroyed', (stream, destroyed: boolean) => destroyed || stream.#lettingGo);
    // Small payloads that wait are counted, though the Readable does not have them yet.
    overrideGetter(YamuxStream.prototype, 'readableLength', (stream, length: number) => length + stream.intake.kept);
    inspectAs(YamuxStream.prototype, 'YamuxStream', (stream) => {
      const { id, direction, acknowledged, bytesRead, bytesWritten, readableLength, writableLength } = stream;
      const credit = { sendCredit: stream.sendCredit, receiveCredit: stream.intake.window.credit };
      const state = stream.lifecycle.state;
      return { id, direction, state, acknowledged, bytesRead, bytesWritten, readableLength, writableLength, ...credit };
    });
  }

  /** @internal */
  constructor(port: StreamPort, id: number, direction: Direction) {
    super(port.clock, port.transport);
    this.#port = port;
    this.intake = new Intake(this, port);
    this.id = id;
    this.direction = direction;
  }

  /**
   * On a stream that we opened: the peer has answered, by an ACK or any other frame; the event 'acknowledged' tells when. On one that
   * the peer opened: it was handed to the application, and our ACK sent.
   */
  get acknowledged(): boolean {
    return this.#acknowledged;
  }

  /** Bytes of payload received. */
  get bytesRead(): number {
    return this.intake.received;
  }

  /** Bytes of payload handed to the transport. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /**
   * Ends both directions at once with RST. The stream closes without an 'error' here; the peer sees `errorCode`.
   *
   * @param errorCode a number of your protocol's own, 0 to 2^32-1; go-yamux and this package tell it to their application.
   * @throws {RangeError} if it is none.
   */
  reset(errorCode = 0): void {
    if (!Number.isInteger(errorCode) || errorCode < 0 || errorCode > MAX_UINT32) {
      throw new RangeError(`Expected errorCode to be an integer from 0 to ${MAX_UINT32}, got ${errorCode}`);
    }
    this.#resetCode ??= errorCode;
    this.#resetByUs();
    this.#destroyNow(null);
  }

  override destroy(error?: Error | null): this {
    const finUnsent = this.writableEnded && !this.writableFinished && this.lifecycle.canSend;
    if (error || !finUnsent) this.#destroyNow(error ?? null);
    else if (!this.destroyed) this.#letGo();
    return this;
  }

  /** Nothing to do: bytes are pushed as they arrive. (What was consumed can't be seen here: see read().) */
  override _read(): void {}

  // biome-ignore lint/suspicious/noExplicitAny: as node:stream types it.
  override read(size?: number): any {
    // What is unread when a stream is destroyed is discarded: Node would still give it out.
    if (this.destroyed) return null;
    this.intake.beforeRead(size);
    const chunk: unknown = super.read(size);
    this.#settle();
    return chunk;
  }

  /** Gives credit back for what the application has taken, half a window at a time. */
  #settle(): void {
    if (this.lifecycle.canReceive) this.#sendCredit(this.intake.settle());
  }

  #sendCredit(delta: number): void {
    if (delta > 0 && this.lifecycle.canReceive) this.#port.sendCredit(this, delta);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.sendQueue.put(chunk);
    this.#awaitTurn(callback);
  }

  override _writev(chunks: Array<{ chunk: Buffer; encoding: BufferEncoding }>, callback: Callback): void {
    for (const { chunk } of chunks) this.sendQueue.put(chunk);
    this.#awaitTurn(callback);
  }

  #awaitTurn(callback: Callback): void {
    if (this.sendQueue.length === 0) {
      callback();
    } else {
      this.#writeCallback = callback;
      this.#askForTurn();
    }
  }

  override _final(callback: Callback): void {
    this.#finalCallback = callback;
    this.#askForTurn();
  }

  // After the peer's RST nothing can be sent: callbacks wait for the destroy() that is on its way, and fail with its error.
  #askForTurn(): void {
    if (this.lifecycle.canSend) this.#port.wantsTurn(this);
  }

  /** destroy() after end(), with something still to go out: reading is over at once, the rest when the FIN has left. */
  #letGo(): void {
    this.#lettingGo = true;
    this.once('finish', () => this.#destroyNow(null));
    // The peer may never give the credit for what is left.
    this.#watchHalfClosed(() => this.#onHalfCloseTimeout());
    this.#sendCredit(this.intake.drop());
  }

  #destroyNow(error: Error | null): void {
    // Who has called destroy() hears no more errors, as on any stream of Node.
    super.destroy(this.#lettingGo ? undefined : (error ?? undefined));
  }

  override _destroy(error: Error | null, callback: Callback): void {
    if (error || this.#resetCode !== undefined || this.lifecycle.canSend) {
      this.#resetByUs();
    } else if (this.lifecycle.canReceive) {
      // FIN is out, the peer's is not in: the wire lives on without the application. See receiveData.
      this.#sendCredit(this.intake.drop());
    }
    this.stopIdle();
    this.intake.release();
    this.isReleased = true;
    this.#port.released(this);
    this.sendQueue.clear();
    if (this.lifecycle.ended) this.#halfClose?.stop();
    const written = this.#writeCallback;
    this.#writeCallback = undefined;
    written?.(
      error ?? new YamuxError('ERR_YAMUX_STREAM_DESTROYED', 'The stream was destroyed before this was sent', LOCAL),
    );
    // Node emits 'error' and 'close' after this callback; destroyed and errored it says at once. Without an error there is nothing to
    // wait for: and while Node waits for a callback without one, it takes the stream for cleanly ended.
    if (this.#held && error) this.#heldEvents = () => callback(error);
    else callback(error);
    // After the events of this tick, in which nothing is read any more; somebody may keep the stream for long.
    if (this.readableLength > 0) process.nextTick(() => this.#discardUnread());
  }

  #discardUnread(): void {
    while (super.read(Math.min(this.readableLength, this.readableHighWaterMark)) !== null);
  }

  #resetByUs(): void {
    if (this.lifecycle.ended) return;
    this.lifecycle.reset();
    this.#port.sendReset(this, this.#resetCode ?? 0);
    this.#end();
  }

  /** Both directions are over on the wire. */
  #end(): void {
    this.#halfClose?.stop();
    this.sendQueue.clear();
    this.#port.ended(this);
  }

  /** A byte of payload moved. */
  #moved(): void {
    this.touchIdle();
    this.#halfClose?.touch();
  }

  #halfClosed(): void {
    if (this.lifecycle.ended) this.#end();
    else this.#watchHalfClosed(() => this.#onHalfCloseTimeout());
  }

  #watchHalfClosed(onIdle: () => void): void {
    this.#halfClose?.stop();
    if (this.#port.halfCloseTimeout === 0) return;
    this.#halfClose = new IdleTimer(this.#port.clock, this.#port.halfCloseTimeout, onIdle);
    this.#halfClose.touch();
  }

  #onHalfCloseTimeout(): void {
    const message = `Stream ${this.id} was half-closed and no byte moved for ${this.#port.halfCloseTimeout} ms (halfCloseTimeout)`;
    this.#resetByUs();
    this.#destroyNow(new YamuxError('ERR_YAMUX_HALF_CLOSE_TIMEOUT', message, LOCAL));
  }

  /** @internal From here to releaseEvents() no 'error' and no 'close' comes out: the code that awaits the stream can't listen yet. */
  holdEvents(): void {
    this.#held = true;
  }

  /** @internal */
  releaseEvents(): void {
    this.#held = false;
    this.#heldEvents?.();
    this.#heldEvents = undefined;
  }

  /** @internal Inbound: now the application has it. Outbound: the peer has answered. */
  acknowledge(): void {
    if (this.#acknowledged) return;
    this.#acknowledged = true;
    if (this.direction === 'inbound') return;
    this.#port.acknowledged(this);
    try {
      this.emit('acknowledged');
    } catch (error) {
      throwOutside(error);
    }
  }

  /** @internal Payload, within what was announced. */
  receiveData(slice: Buffer): void {
    if (this.lifecycle.ended) return;
    this.#moved();
    if (this.#lettingGo) {
      this.#sendCredit(this.intake.drop(slice.length));
    } else if (this.destroyed) {
      this.#resetByUs();
    } else {
      this.intake.deliver(slice);
      this.#settle();
    }
  }

  /** @internal False if the window would pass 2^32-1. */
  receiveCredit(delta: number): boolean {
    if (!this.#sendWindow.grant(delta)) return false;
    if (this.sendQueue.length > 0) this.#askForTurn();
    return true;
  }

  /** @internal */
  receiveFin(): void {
    if (!this.lifecycle.canReceive) return;
    this.lifecycle.finReceived();
    this.#halfClosed();
    if (this.destroyed) return;
    this.intake.flush();
    this.push(null);
  }

  /** @internal */
  receiveReset(errorCode: number): void {
    if (this.lifecycle.ended) return;
    const refused = this.direction === 'outbound' && !this.#acknowledged;
    const inputIsWhole = !this.lifecycle.canReceive;
    this.#countRapidReset();
    this.lifecycle.reset();
    this.#end();
    const error = new StreamResetError(this.id, errorCode, refused);
    const isHandedOver = this.direction === 'outbound' || this.#acknowledged;
    if (inputIsWhole && isHandedOver && !this.readableEnded && !this.destroyed) this.#destroyAfterEnd(error);
    else this.#destroyNow(error);
  }

  #countRapidReset(): void {
    if (this.direction === 'inbound' && this.#bytesWritten === 0) this.#port.rapidlyReset();
  }

  /** The peer's FIN came before its RST: what it sent is whole and still to be read, only writing is over. */
  #destroyAfterEnd(error: Error): void {
    const destroy = (): void => this.#destroyNow(error);
    this.once('end', destroy);
    // A write may be waiting for its callback, and nobody may ever read.
    this.#watchHalfClosed(destroy);
    // Nor may reading wait for writing, as in an echo: writes go on until the end comes, and then all fail.
    const write = this.write.bind(this) as (...args: unknown[]) => boolean;
    Object.assign(this, { write: (...args: unknown[]) => write(...args) || true });
    if (this.writableNeedDrain) process.nextTick(() => this.emit('drain'));
  }

  /** @internal The peer broke a rule of this one stream: RST, and the session lives. */
  violated(message: string): void {
    if (this.lifecycle.ended) return;
    this.#countRapidReset();
    this.#resetByUs();
    this.#destroyNow(new YamuxError('ERR_YAMUX_STREAM_PROTOCOL', message, { scope: 'stream', origin: 'remote' }));
  }

  /** @internal The session is over; `error` is the one cause that all its streams share. */
  sessionEnded(error: Error): void {
    if (!this.lifecycle.ended) {
      this.lifecycle.reset();
      this.#end();
    }
    this.#destroyNow(error);
  }

  /** @internal Bytes of payload that the peer lets us send. */
  get sendCredit(): number {
    return this.#sendWindow.available;
  }

  /** @internal Bytes of payload that may go out now. */
  get sendableBytes(): number {
    return Math.min(this.sendQueue.length, this.#sendWindow.available);
  }

  /** @internal The FIN is next: everything before it has gone out. */
  get isFinDue(): boolean {
    return this.#finalCallback !== undefined && this.sendQueue.length === 0 && this.lifecycle.canSend;
  }

  /** @internal `bytes` of payload were put into a frame. */
  sent(bytes: number): void {
    this.#moved();
    this.#bytesWritten += bytes;
    this.#sendWindow.spend(bytes);
  }

  /** @internal The frames of this turn are with the transport: user code runs here. */
  handedOver(): void {
    if (this.sendQueue.length > 0) return;
    const written = this.#writeCallback;
    this.#writeCallback = undefined;
    written?.();
  }

  /** @internal */
  finHandedOver(): void {
    this.lifecycle.finSent();
    this.#halfClosed();
    const finished = this.#finalCallback;
    this.#finalCallback = undefined;
    finished?.();
  }
}
