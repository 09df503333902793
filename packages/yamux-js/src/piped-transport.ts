// The transport of a session that the application pipes: the inner one of two Duplexes without a buffer between them. Of `outside`, the
// application reads what the session sends, and writes to it what the session is to receive.

import { Duplex } from 'node:stream';

/** A frame: of type GoAway, with the code 0. */
const GO_AWAY: Buffer = Buffer.from('000300000000000000000000', 'hex');

type Callback = (error?: Error | null) => void;

export class PipedTransport extends Duplex {
  readonly #outside: Duplex;
  /** Of the write under way on either end, until the other end has room for more. */
  #onReceived: Callback | undefined;
  #onSent: Callback | undefined;

  constructor(outside: Duplex) {
    super();
    this.#outside = outside;
  }

  // What `outside` calls.

  /** The application wrote this. */
  receive(chunk: Buffer, callback: Callback): void {
    // Behind the end of the session it is for nobody, and an error would be one that no program expects.
    if (this.destroyed || this.push(chunk)) callback();
    else this.#onReceived = callback;
  }

  /** The application will write no more. */
  receiveEnd(): void {
    if (!this.destroyed) this.push(null);
  }

  /** The application reads. */
  outsideReads(): void {
    const callback = this.#onSent;
    this.#onSent = undefined;
    callback?.();
  }

  /** Says goodbye behind what was sent, which must be all out: the session itself would say it in the next tick. */
  sayGoAway(): void {
    if (!this.writableEnded && !this.#outside.readableEnded) this.#outside.push(GO_AWAY);
  }

  // What the session calls.

  override _read(): void {
    const callback = this.#onReceived;
    this.#onReceived = undefined;
    callback?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#send([chunk], callback);
  }

  override _writev(chunks: Array<{ chunk: Buffer; encoding: BufferEncoding }>, callback: Callback): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  /**
   * A batch is one chunk: the application writes each chunk by itself, and to a socket a header that went ahead alone would hold its payload
   * back for the peer's ACK. It is a copy: of what is pushed nobody tells when it was read, and after the callback the memory is the writer's.
   */
  #send(chunks: readonly Buffer[], callback: Callback): void {
    if (this.#outside.push(Buffer.concat(chunks))) callback();
    else this.#onSent = callback;
  }

  override _final(callback: Callback): void {
    this.#outside.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    if (!this.#outside.destroyed) this.#outside.push(null);
    this._read();
    this.outsideReads();
    callback(error);
  }
}
