// One stream as the session uses it: its state on the wire, both windows, the received bytes that wait, and the bytes to send. Does not know
// node:stream. Its Duplex, the face, is created when the application gets the stream. It may end long before or long after the wire stream.

import { ifSecondsWereMeant, StreamResetError, YamuxError } from '../errors.ts';
import { IdleTimer } from '../idle-timer.ts';
import { Inflow } from './inflow.ts';
import { Lifecycle } from './lifecycle.ts';
import type { ReceiveWindow } from './receive-window.ts';
import { SendQueue } from './send-queue.ts';
import { SendWindow } from './send-window.ts';
import type { StreamFace, StreamPort } from './stream-port.ts';

export type Direction = 'inbound' | 'outbound';

export class WireStream {
  /** 0 until the stream is opened. */
  id = 0;
  readonly direction: Direction;
  readonly lifecycle: Lifecycle = new Lifecycle();
  /** Written bytes that are not handed over. */
  readonly sendQueue: SendQueue = new SendQueue();
  /** Bytes of payload received. */
  bytesReceived = 0;
  /** Bytes of payload handed to the transport. */
  bytesSent = 0;
  /** Outbound: whether the peer has answered. Inbound: whether the application has the stream and our ACK was sent. */
  isAcknowledged = false;
  /** The application has released the stream. */
  isReleased = false;
  /** Whether the peer's FIN has come: the input is complete. */
  isInputWhole = false;
  /** Links of the outbox's rotation. */
  nextInTurn: WireStream | undefined;
  hasTurn = false;
  /** The position in the bytes of the session up to which payload was handed over in the writer's memory. */
  referencedUntil = 0;
  /** The outbox tells the face when the transport has taken it. */
  awaitsTaken = false;

  readonly #port: StreamPort;
  readonly #sendWindow = new SendWindow();
  readonly #inflow: Inflow;
  #face: StreamFace | undefined;
  /** Whether the written data waits only for credit. */
  #awaitsCredit = false;
  #isFinWanted = false;
  #wantedReset: number | undefined;
  #idle: IdleTimer | undefined;

  constructor(port: StreamPort, direction: Direction) {
    this.#port = port;
    this.direction = direction;
    this.#inflow = new Inflow(port);
  }

  /** The Duplex; undefined while the stream waits in the backlog. */
  get face(): StreamFace | undefined {
    return this.#face;
  }

  /** The application gets the stream. */
  attach(face: StreamFace): void {
    this.#face = face;
  }

  /** The credit that the peer has. */
  get window(): ReceiveWindow {
    return this.#inflow.window;
  }

  /** Received bytes that the application has not read. */
  get unreadBytes(): number {
    return this.#inflow.unread;
  }

  // What the application does.

  /** The next piece of what arrived, which gives credit back; undefined if nothing waits. */
  take(): Buffer | undefined {
    const chunk = this.#inflow.take();
    if (chunk) {
      this.#idle?.touch();
      this.#consumed(chunk.length);
    }
    return chunk;
  }

  /** Queues `chunk`, which must stay unchanged until `face.written()`. */
  write(chunk: Buffer): void {
    this.sendQueue.put(chunk);
    if (this.#sendWindow.available === 0) this.#awaitCredit();
  }

  /** Sends FIN after the written data. */
  finish(): void {
    this.#isFinWanted = true;
  }

  /** Asks for a turn if there is something to send. */
  askForTurn(): void {
    if (this.id !== 0 && this.lifecycle.canSend) this.#port.wantsTurn(this);
  }

  /**
   * The application has ended its side and destroys the stream. The written data and the FIN are still sent. Received data is dropped, and its
   * credit granted, so that the peer can reach its own FIN.
   */
  leave(): void {
    this.leaveInput();
    if (!this.lifecycle.canSend) return;
    this.#isFinWanted = true;
    this.sendQueue.own();
    // The peer may never grant the credit for the remaining data.
    this.#watch();
    this.askForTurn();
  }

  /** The stream has ended, and a write waits for the input to be read. If nobody reads it, the stream ends with `error` after halfCloseTimeout. */
  lingerFor(error: Error): void {
    this.#watch(error);
  }

  /** Nobody will read the input. */
  leaveInput(): void {
    this.#release();
    if (this.lifecycle.canReceive) this.#sendCredit(this.#inflow.drop(0));
  }

  /**
   * The application resets the stream: sends the written data as far as the credit allows, then RST. False if some data cannot be sent.
   */
  breakOff(errorCode: number): boolean {
    this.#release();
    if (this.lifecycle.ended) return false;
    this.#inflow.clear();
    const sendable = this.id !== 0 && this.lifecycle.canSend ? this.#sendWindow.available : 0;
    const isWhole = this.sendQueue.length <= sendable;
    this.sendQueue.truncate(sendable);
    if (this.sendQueue.length === 0) {
      this.#resetNow(errorCode);
    } else {
      this.sendQueue.own();
      this.#wantedReset = errorCode;
      this.askForTurn();
    }
    return isWhole;
  }

  /** After leave() and breakOff(): tells the writer about its last write, now or when the transport has taken it. */
  settleWrites(): void {
    if (this.sendQueue.length === 0) this.#port.handedOver(this);
  }

  /** The transport still reads from the writer's memory. */
  get isReferenced(): boolean {
    return this.referencedUntil > this.#port.readUntil();
  }

  #release(): void {
    this.isReleased = true;
    // What is dropped is missing.
    if (this.#inflow.unread > 0) this.isInputWhole = false;
    if (this.lifecycle.ended) {
      this.#idle?.stop();
      this.#inflow.clear();
      this.sendQueue.clear();
    }
    this.#port.released(this);
  }

  // What the session tells.

  /** Payload, within what was announced. */
  receiveData(slice: Buffer): void {
    if (this.lifecycle.ended) return;
    this.bytesReceived += slice.length;
    this.#port.creditWait.moved();
    this.#moved();
    if (this.isReleased) {
      this.#receiveForNobody(slice.length);
    } else if (this.#inflow.unread === 0 && this.#face?.isFlowing) {
      this.#consumed(slice.length);
      this.#face.deliver(slice);
    } else {
      this.#inflow.keep(slice);
      this.#face?.arrived();
    }
  }

  #receiveForNobody(bytes: number): void {
    if (this.#wantedReset !== undefined) return;
    // Until our FIN is sent, the peer may continue. After that, this could continue for ever.
    if (this.lifecycle.canSend) this.#sendCredit(this.#inflow.drop(bytes));
    else this.#resetNow(0);
  }

  /** False if the window would pass 2^32-1. */
  receiveCredit(delta: number): boolean {
    if (!this.#sendWindow.grant(delta)) return false;
    if (this.#awaitsCredit) this.#awaitNoCredit();
    this.#port.creditWait.moved();
    if (this.sendQueue.length > 0) this.askForTurn();
    return true;
  }

  receiveFin(): void {
    if (!this.lifecycle.canReceive) return;
    this.lifecycle.finReceived();
    this.isInputWhole = !this.isReleased;
    this.#inflow.end();
    if (this.lifecycle.ended) this.#end();
    if (!this.isReleased) this.#face?.arrived();
  }

  receiveReset(errorCode: number): void {
    if (this.lifecycle.ended) return;
    const isRefused = this.direction === 'outbound' && !this.isAcknowledged;
    this.#countRapidReset();
    this.#fail(new StreamResetError(this.id, errorCode, isRefused));
  }

  /** The peer broke a rule of one stream: sends RST; the session continues. */
  violated(message: string): void {
    if (this.lifecycle.ended) return;
    this.#countRapidReset();
    this.#port.sendReset(this, 0);
    this.isInputWhole = false;
    this.#fail(new YamuxError('ERR_YAMUX_STREAM_PROTOCOL', message, { scope: 'stream', origin: 'remote' }));
  }

  /** Ends the stream from this side, with RST; the application gets `error`. */
  expel(error: Error): void {
    if (this.lifecycle.ended) return;
    if (this.id !== 0) this.#port.sendReset(this, this.#wantedReset ?? 0);
    this.#fail(error);
  }

  /** The session has ended; `error` is the cause that all its streams share. */
  sessionEnded(error: Error): void {
    if (!this.lifecycle.ended) this.#fail(error);
    // An ended input can still be read. It no longer belongs to the session.
    this.#inflow.leaveBudget();
  }

  acknowledge(): void {
    if (this.isAcknowledged) return;
    this.isAcknowledged = true;
    if (this.direction === 'inbound') return;
    this.#port.acknowledged(this);
    this.#face?.answered();
  }

  // What the outbox asks and tells.

  /** Bytes of payload that the peer lets us send. */
  get sendCredit(): number {
    return this.#sendWindow.available;
  }

  /** Bytes of payload that may go out now. */
  get sendableBytes(): number {
    return Math.min(this.sendQueue.length, this.#sendWindow.available);
  }

  /** Whether something was written that the peer has not given credit for, or whose turn has not come. */
  get hasMoreToSend(): boolean {
    return this.sendQueue.length > 0 && this.lifecycle.canSend;
  }

  /** Whether the FIN is next: everything before it was sent. */
  get isFinDue(): boolean {
    return this.#isFinWanted && this.sendQueue.length === 0 && this.lifecycle.canSend;
  }

  /** The RST is next. */
  get isResetDue(): boolean {
    return this.#wantedReset !== undefined && this.sendQueue.length === 0 && !this.lifecycle.ended;
  }

  /** `bytes` of payload were put into a frame. */
  sent(bytes: number): void {
    this.#moved();
    this.bytesSent += bytes;
    this.#sendWindow.spend(bytes);
    if (this.#sendWindow.available === 0) this.#awaitCredit();
  }

  finHandedOver(): void {
    if (!this.lifecycle.canSend) return;
    this.lifecycle.finSent();
    if (this.lifecycle.ended) this.#end();
    else this.#watch();
    this.#face?.finished();
  }

  /** It is this stream's turn for the RST that was asked for. */
  sendWantedReset(): void {
    this.#resetNow(this.#wantedReset ?? 0);
  }

  // How it ends.

  #resetNow(errorCode: number): void {
    const wasOpened = this.id !== 0;
    this.isReleased = true;
    this.lifecycle.reset();
    if (wasOpened) this.#port.sendReset(this, errorCode);
    this.#end();
  }

  #fail(error: Error): void {
    this.lifecycle.reset();
    const mayBeRead = this.isInputWhole && this.bytesReceived > 0 && this.#face !== undefined;
    if (!mayBeRead) {
      this.#inflow.clear();
      this.isReleased = true;
    }
    this.#end();
    this.#face?.failed(error);
  }

  /** Both directions have ended on the wire. */
  #end(): void {
    this.#idle?.stop();
    this.#idle = undefined;
    if (this.#awaitsCredit) this.#awaitNoCredit();
    this.sendQueue.clear();
    this.#inflow.end();
    this.#port.ended(this);
  }

  #countRapidReset(): void {
    if (this.direction === 'inbound' && this.bytesSent === 0) this.#port.rapidlyReset();
  }

  // Time.

  #moved(): void {
    this.#idle?.touch();
    this.#face?.moved();
  }

  /** From now on the stream ends if no byte moves: with `error`, or with a timeout error. */
  #watch(error?: Error): void {
    const { clock, halfCloseTimeout } = this.#port;
    this.#idle?.stop();
    if (halfCloseTimeout === 0) return;
    this.#idle = new IdleTimer(clock, halfCloseTimeout, () => this.#onIdle(error));
    this.#idle.touch();
  }

  #onIdle(error: Error | undefined): void {
    if (error) {
      this.#inflow.clear();
      this.#face?.gaveUp(error);
      return;
    }
    const { halfCloseTimeout } = this.#port;
    const message = `This end has ended stream ${this.id}, and no byte moved for ${halfCloseTimeout} ms (halfCloseTimeout)${ifSecondsWereMeant(halfCloseTimeout)}`;
    this.isInputWhole = false;
    this.expel(new YamuxError('ERR_YAMUX_HALF_CLOSE_TIMEOUT', message, { scope: 'stream', origin: 'local' }));
  }

  // Credit.

  #awaitCredit(): void {
    if (this.#awaitsCredit || !this.hasMoreToSend) return;
    this.#awaitsCredit = true;
    this.#port.creditWait.begin();
  }

  #awaitNoCredit(): void {
    this.#awaitsCredit = false;
    this.#port.creditWait.end();
  }

  #consumed(bytes: number): void {
    this.#sendCredit(this.#inflow.consumed(bytes, this.#face?.hasPausedReader ?? true));
  }

  #sendCredit(delta: number): void {
    if (delta > 0 && this.lifecycle.canReceive) this.#port.sendCredit(this, delta);
  }
}
