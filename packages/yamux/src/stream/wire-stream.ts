// One stream as the session has it: its life on the wire, both windows, what arrived and waits, what is to be sent. Knows nothing of
// node:stream. Its Duplex, the face, comes when the application gets the stream, and may go long before the wire is done with it, or long after.

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
  /** What was written and not handed over. */
  readonly sendQueue: SendQueue = new SendQueue();
  /** Bytes of payload received. */
  bytesReceived = 0;
  /** Bytes of payload handed to the transport. */
  bytesSent = 0;
  /** Outbound: the peer has answered. Inbound: the application has it, and our ACK is sent. */
  isAcknowledged = false;
  /** The application holds nothing of it any more. */
  isReleased = false;
  /** The peer's FIN has come: nothing is missing in what was received. */
  isInputWhole = false;
  /** Links of the outbox's rotation. */
  nextInTurn: WireStream | undefined;
  hasTurn = false;
  /** Up to here in the bytes of the session, payload was handed over in the writer's own memory. */
  referencedUntil = 0;
  /** The outbox tells the face when the transport has taken it. */
  awaitsTaken = false;

  readonly #port: StreamPort;
  readonly #sendWindow = new SendWindow();
  readonly #inflow: Inflow;
  #face: StreamFace | undefined;
  /** What was written waits for credit and for nothing else. */
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

  /** Bytes that arrived and that nobody has asked for. */
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

  /** Queues `chunk`, which must stay as it is until `face.written()`. */
  write(chunk: Buffer): void {
    this.sendQueue.put(chunk);
    if (this.#sendWindow.available === 0) this.#awaitCredit();
  }

  /** FIN, behind all that was written. */
  finish(): void {
    this.#isFinWanted = true;
  }

  /** Asks for a turn, if there is something to send and a stream to send it on. */
  askForTurn(): void {
    if (this.id !== 0 && this.lifecycle.canSend) this.#port.wantsTurn(this);
  }

  /**
   * The application lets go, having ended its side: what was written and the FIN still go out; what was received is dropped, and credited so
   * that the peer can go on to its own FIN.
   */
  leave(): void {
    this.leaveInput();
    if (!this.lifecycle.canSend) return;
    this.#isFinWanted = true;
    this.sendQueue.own();
    // The peer may never give the credit for what is left.
    this.#watch();
    this.askForTurn();
  }

  /** It is over, and a write waits for the input to be read, which nobody may ever do: then it ends with `error` after halfCloseTimeout. */
  lingerFor(error: Error): void {
    this.#watch(error);
  }

  /** Nobody reads it any more. */
  leaveInput(): void {
    this.#release();
    if (this.lifecycle.canReceive) this.#sendCredit(this.#inflow.drop(0));
  }

  /**
   * The application breaks it off: what was written goes out as far as the credit goes, then RST. False if some of it can't be sent.
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

  /** After leave() and breakOff(): the writer hears of its last write, now or when the transport has taken it. */
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
    // While our FIN is on its way out the peer may go on; when it is out, this would go on for ever.
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

  /** The peer broke a rule of this one stream: RST, and the session lives. */
  violated(message: string): void {
    if (this.lifecycle.ended) return;
    this.#countRapidReset();
    this.#port.sendReset(this, 0);
    this.isInputWhole = false;
    this.#fail(new YamuxError('ERR_YAMUX_STREAM_PROTOCOL', message, { scope: 'stream', origin: 'remote' }));
  }

  /** Ends it from this side, with RST; the application hears `error`. */
  expel(error: Error): void {
    if (this.lifecycle.ended) return;
    if (this.id !== 0) this.#port.sendReset(this, this.#wantedReset ?? 0);
    this.#fail(error);
  }

  /** The session is over; `error` is the one cause that all its streams share. */
  sessionEnded(error: Error): void {
    if (!this.lifecycle.ended) this.#fail(error);
    // What is whole may still be read, and is not the session's any more.
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

  /** The FIN is next: everything before it has gone out. */
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

  /** Both directions are over on the wire. */
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

  /** From now on the stream ends if nothing moves: with `error`, or with one that says so. */
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
