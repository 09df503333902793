// A connection to an HTTP/1.1 server, with one exchange after the other. It adds its listeners once, for all exchanges.
import type { AnswerHead, RawHeaders } from '../exchange/block.ts';
import { type AnswerListener, AnswerReader, type Asked } from './answer-reader.ts';
import { type Connection, connectEvent } from './connection.ts';
import { wasBrokenOff } from './socket-end.ts';

/** The user of the connection. No callback follows onWhole(), onSwitch() or onLost(). */
export interface ExchangeListener extends Omit<AnswerListener, 'onSwitch'> {
  onConnected(): void;
  /** The connection is the caller's, and nobody listens to it any more. */
  onSwitch(head: Omit<AnswerHead, 'body'>, early: Buffer): void;
  onDrain(): void;
  /** There is no response, or no more of it. `error` is undefined if the connection has ended. */
  onLost(error: Error | undefined): void;
}

export interface ConnectionOwner {
  /** Bytes of an answer's head. */
  readonly maxHeaderSize: number;
  /** An idle connection has ended or has sent unrequested bytes. */
  onIdleEnd(connection: Http1Connection): void;
}

export class Http1Connection implements AnswerListener {
  readonly socket: Connection;
  readonly #owner: ConnectionOwner;
  readonly #reader: AnswerReader;
  #exchange: ExchangeListener | undefined;
  #isConnected: boolean;
  /** It has carried a request before. */
  #isUsed = false;
  #isReused = false;

  constructor(socket: Connection, owner: ConnectionOwner) {
    this.socket = socket;
    this.#owner = owner;
    this.#reader = new AnswerReader(this, owner.maxHeaderSize);
    this.#isConnected = !('connecting' in socket && socket.connecting === true);
    if (!this.#isConnected) socket.once(connectEvent(socket), this.#onConnect);
    socket.on('data', this.#onData).on('end', this.#onEnd).on('drain', this.#onDrain);
    socket.on('error', this.#onError).on('close', this.#onClose);
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Whether a reused connection ended before any byte of the response: the server may have closed it before it saw the request. */
  get isStale(): boolean {
    return this.#isReused && !this.#reader.hasBegun;
  }

  /** Whether another request may follow the answer that has come. */
  get isPersistent(): boolean {
    return this.#reader.isPersistent && !this.socket.destroyed && this.socket.writable;
  }

  /** The value of the Keep-Alive field of its last answer. */
  get keepAlive(): string | undefined {
    return this.#reader.keepAlive;
  }

  /** For one request: its head may be written. */
  begin(asked: Asked, exchange: ExchangeListener): void {
    this.#exchange = exchange;
    this.#isReused = this.#isUsed;
    this.#isUsed = true;
    this.#reader.expect(asked);
  }

  destroy(): void {
    this.#exchange = undefined;
    this.#reader.stop();
    this.socket.destroy();
  }

  readonly #onConnect = (): void => {
    this.#isConnected = true;
    this.#exchange?.onConnected();
  };

  readonly #onData = (bytes: Buffer): void => {
    if (this.#exchange === undefined) {
      this.#endIdle();
      return;
    }
    try {
      this.#reader.read(bytes);
    } catch (error) {
      this.#lose(error as Error);
    }
  };

  readonly #onEnd = (): void => {
    if (this.#exchange === undefined) this.#endIdle();
    else if (this.#reader.endsWithConnection && wasBrokenOff(this.socket)) this.#lose(undefined);
    else if (!this.#reader.ended()) this.#lose(undefined);
  };

  readonly #onDrain = (): void => this.#exchange?.onDrain();

  readonly #onError = (error: Error): void => this.#lose(error);

  readonly #onClose = (): void => this.#lose(undefined);

  onInterim(status: number, reason: string, headers: RawHeaders): void {
    this.#exchange?.onInterim(status, reason, headers);
  }

  onAnswer(head: AnswerHead): void {
    this.#exchange?.onAnswer(head);
  }

  onBody(bytes: Buffer): void {
    this.#exchange?.onBody(bytes);
  }

  onWhole(trailers: RawHeaders): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.onWhole(trailers);
  }

  onSwitch(status: number, reason: string, headers: RawHeaders, early: Buffer): void {
    const exchange = this.#exchange;
    const { socket } = this;
    this.#exchange = undefined;
    this.#reader.stop();
    socket.pause();
    socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain).off('close', this.#onClose);
    exchange?.onSwitch({ status, reason, headers }, early);
    socket.off('error', this.#onError); // the new owner has its own listener
  }

  #endIdle(): void {
    this.#reader.stop();
    this.socket.destroy();
    this.#owner.onIdleEnd(this);
  }

  #lose(error: Error | undefined): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.#endIdle();
      return;
    }
    this.destroy();
    exchange.onLost(error);
  }
}
