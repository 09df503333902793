// A MessageSocket as a Duplex of bytes. Message boundaries carry no meaning. The stream ends cleanly only if the socket closed cleanly: bytes
// that may be truncated always end in an error. This file knows neither Yamux nor any WebSocket library.

import { Duplex } from 'node:stream';
import { systemClock } from '@zishuo/yamux';
import {
  type CloseFrame,
  describeClose,
  INTERNAL,
  isCleanEnd,
  NORMAL,
  POLICY,
  type SocketClose,
  TEXT_REFUSED,
  TOO_LARGE,
} from './close-codes.ts';
import { YamuxWebSocketError } from './errors.ts';
import { Heartbeat } from './heartbeat.ts';
import { IDLE_MESSAGE } from './message-budget.ts';
import { MessageSender } from './message-sender.ts';
import type { MessageData, MessageSocket } from './message-socket.ts';
import type { ResolvedStreamOptions } from './options.ts';

type Callback = (error?: Error | null) => void;

/**
 * The bytes of a WebSocket. `end()` sends all written bytes and then the close frame; a WebSocket has no half-close, so the
 * peer may not send after that. `destroy()` terminates the connection.
 *
 * Ends with `'end'` and `'close'` after close codes 1000, 1001, 1005 and 1012, once everything received has been read;
 * with `'error'` (a {@link YamuxWebSocketError}) after anything else.
 */
export class WebSocketByteStream extends Duplex {
  /** Resolves when the socket is closed, for whatever reason; never rejects. */
  readonly socketClosed: Promise<SocketClose>;
  /** The stream's own write timeout, in milliseconds; 0: none. A session over the stream then sets no second one. */
  readonly writeTimeout: number;
  /** The limit of the closing handshake, in milliseconds. A session over the stream raises it when the peer still has much to read first. */
  closeTimeout: number;

  readonly #socket: MessageSocket;
  readonly #options: ResolvedStreamOptions;
  readonly #sender: MessageSender;
  readonly #closeFrame: () => CloseFrame;
  readonly #heartbeat: Heartbeat | undefined;

  /** The socket is paused because the reader takes no more bytes. */
  #paused = false;
  /** The socket is paused because the message budget is used up. */
  #held = false;
  /** How many empty messages came in a row. */
  #empties = 0;
  /** True from the first write of a tick to the end of the tick. */
  #corked = false;
  /** The callback of `_final()` while the socket is still connecting. */
  #finalWaits: Callback | undefined;
  /** The close frame that this end sent. */
  #sentClose: CloseFrame | undefined;
  /** The close frame that destroy() sends. If undefined, destroy() terminates the socket. */
  #closeWith: CloseFrame | undefined;
  #terminated = false;
  #gone = false;
  #closeTimer: unknown;
  #resolveClosed!: (close: SocketClose) => void;

  /** @internal `closeFrame` is called at `end()` and returns the close frame to send. */
  constructor(socket: MessageSocket, options: ResolvedStreamOptions, closeFrame: () => CloseFrame = () => NORMAL) {
    super({
      allowHalfOpen: false,
      readableHighWaterMark: Math.min(BUFFER_BYTES, options.readPauseBytes), // a paused socket resumes below this
      writableHighWaterMark: BUFFER_BYTES,
    });
    this.#socket = socket;
    this.#options = options;
    this.#closeFrame = closeFrame;
    this.writeTimeout = options.writeTimeout;
    this.closeTimeout = options.closeTimeout;
    this.socketClosed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#sender = new MessageSender(socket, options, () => this.#stalled());

    if (options.wsPing > 0) {
      this.#heartbeat = new Heartbeat(
        options.wsPing,
        () => this.#socket.ping?.(),
        () => this.#silent(),
      );
    }

    const before = socket.state;
    if (before === 'open') this.#heartbeat?.start();
    socket.attach({
      onOpen: () => this.#opened(),
      onMessage: (data) => this.#received(data),
      onLife: () => this.#receivedPing(),
      onText: () =>
        this.#refuse(
          'ERR_YAMUX_WEBSOCKET_TEXT_MESSAGE',
          'The peer sent a text message; only binary messages carry bytes',
          TEXT_REFUSED,
        ),
      onError: (error) => this.#failed(error),
      onClose: (code, reason) => this.#closed(code, reason),
    });
    options.messageBudget?.join(this);
    if (before === 'closing' || before === 'closed') {
      this.#closeWith = NORMAL;
      if (before === 'closed') this.#settle(1006, '');
      this.destroy(new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_CLOSED', `The WebSocket is already ${before}`));
    }
  }

  /** The carrier's remote address; undefined without a carrier. The same holds for the five properties below. */
  get remoteAddress(): string | undefined {
    return this.#options.carrier?.remoteAddress;
  }

  /** The carrier's remote port. */
  get remotePort(): number | undefined {
    return this.#options.carrier?.remotePort;
  }

  /** The carrier's remote address family. */
  get remoteFamily(): string | undefined {
    return this.#options.carrier?.remoteFamily;
  }

  /** The carrier's local address. */
  get localAddress(): string | undefined {
    return this.#options.carrier?.localAddress;
  }

  /** The carrier's local port. */
  get localPort(): number | undefined {
    return this.#options.carrier?.localPort;
  }

  /** The carrier's local address family. */
  get localFamily(): string | undefined {
    return this.#options.carrier?.localFamily;
  }

  /** Lets the carrier keep the process alive. */
  ref(): this {
    this.#options.carrier?.ref?.();
    return this;
  }

  /** Lets the process end although the carrier is open. */
  unref(): this {
    this.#options.carrier?.unref?.();
    return this;
  }

  override write(chunk: unknown, callback?: Callback): boolean;
  override write(chunk: unknown, encoding: BufferEncoding, callback?: Callback): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding | Callback, callback?: Callback): boolean {
    // The writes of one tick form one batch, unless the caller has corked the stream.
    if (!this.#corked && this.writableCorked === 0) {
      this.#corked = true;
      this.cork();
      process.nextTick(this.#endOfTick);
    }
    const more = super.write(chunk, encoding as BufferEncoding, callback);
    const limit = this.#options.maxBufferedBytes;
    if (this.writableLength > limit || this.#socket.bufferedAmount > limit) this.#overflowed('wait to be sent');
    return more;
  }

  readonly #endOfTick = (): void => {
    this.#corked = false;
    this.uncork();
  };

  override _read(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#resumeSocket();
  }

  #resumeSocket(): void {
    if (this.#paused || this.#held) return;
    this.#socket.resume?.();
    this.#heartbeat?.start();
  }

  /** @internal The socket is not read until release(). */
  hold(): void {
    this.#held = true;
    this.#pauseSocket();
  }

  /** @internal */
  release(): void {
    this.#held = false;
    if (!this.#gone) this.#resumeSocket();
  }

  #pauseSocket(): void {
    this.#heartbeat?.stop(); // a paused socket receives no pongs
    this.#socket.pause?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#sender.send([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.#sender.send(
      chunks.map((entry) => entry.chunk),
      callback,
    );
  }

  override _final(callback: Callback): void {
    if (this.#socket.state === 'connecting') {
      this.#finalWaits = callback;
      return;
    }
    this.#sendClose(this.#closeFrame());
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (!this.#gone) {
      if (this.#closeWith === undefined) this.#terminate();
      else this.#sendClose(this.#closeWith);
    }
    this.#heartbeat?.stop();
    this.#sender.close(error ?? this.#unsendable('The stream was destroyed', 'local'));
    callback(error);
  }

  #opened(): void {
    this.#heartbeat?.start();
    this.#sender.opened();
    const callback = this.#finalWaits;
    this.#finalWaits = undefined;
    if (callback !== undefined) this._final(callback);
  }

  /** A ping or a pong came. */
  #receivedPing(): void {
    this.#heartbeat?.heard();
    this.#options.messageBudget?.take(IDLE_MESSAGE);
    // The socket answers each ping, even if the peer does not read the answers.
    if (!this.destroyed && this.#socket.bufferedAmount > this.#options.maxBufferedBytes)
      this.#overflowed('wait to be sent');
  }

  #received(data: MessageData): void {
    if (this.destroyed) return;
    this.#heartbeat?.heard();
    const bytes = byteLength(data);
    this.#options.messageBudget?.take(bytes === 0 ? IDLE_MESSAGE : 1);
    this.#empties = bytes === 0 ? this.#empties + 1 : 0;
    if (this.#empties > MAX_EMPTY_MESSAGES) {
      const text = `The peer sent more than ${MAX_EMPTY_MESSAGES} empty messages in a row`;
      this.#refuse('ERR_YAMUX_WEBSOCKET_EMPTY_MESSAGES', text, POLICY);
      return;
    }
    if (bytes > this.#options.maxInboundMessageBytes) {
      const text = `The peer sent a message of ${bytes} bytes; the limit is ${this.#options.maxInboundMessageBytes} (maxInboundMessageBytes)`;
      this.#refuse('ERR_YAMUX_WEBSOCKET_MESSAGE_TOO_LARGE', text, TOO_LARGE);
      return;
    }
    if (isPieces(data)) for (const piece of data) this.push(asBuffer(piece));
    else this.push(asBuffer(data));
    if (this.readableLength > this.#options.readPauseBytes && !this.#paused) this.#pause();
  }

  #pause(): void {
    if (this.#socket.pause === undefined) {
      if (this.readableLength > this.#options.maxBufferedBytes) this.#overflowed('are unread');
      return;
    }
    this.#paused = true;
    this.#pauseSocket();
  }

  /** The socket reported an error. It closes by itself, and may already be sending a close frame. */
  #failed(error: Error): void {
    if (this.destroyed) return;
    this.#closeWith = INTERNAL;
    this.destroy(error);
  }

  #refuse(code: YamuxWebSocketError['code'], message: string, closeFrame: CloseFrame): void {
    this.#closeWith = closeFrame;
    this.destroy(new YamuxWebSocketError(code, message, { closeCode: closeFrame.code }));
  }

  #closed(code: number, reason: string): void {
    const clean = isCleanEnd(code, this.#sentClose);
    this.#settle(code, reason);
    if (this.destroyed) return;
    if (!clean) {
      const lost = code === 1006;
      this.destroy(
        new YamuxWebSocketError(
          lost ? 'ERR_YAMUX_WEBSOCKET_LOST' : 'ERR_YAMUX_WEBSOCKET_CLOSED',
          lost
            ? 'The connection ended without a WebSocket close frame'
            : `The peer closed the WebSocket with ${describeClose(code, reason)}`,
          { closeCode: code, reason },
        ),
      );
      return;
    }
    this.push(null);
    // The received bytes are complete, so they are delivered before the unsent writes fail.
    const unsendable = this.#unsendable(`The WebSocket was closed with ${describeClose(code, reason)}`, 'remote', code);
    if (this.readableEnded) this.#sender.close(unsendable);
    else this.once('end', () => this.#sender.close(unsendable));
    this.#finalWaits?.();
  }

  #settle(code: number, reason: string): void {
    this.#gone = true;
    this.#options.messageBudget?.leave(this);
    this.#heartbeat?.stop();
    systemClock.clearTimeout(this.#closeTimer);
    const initiator = this.#sentClose !== undefined || this.#terminated ? 'local' : 'remote';
    this.#resolveClosed({ code, reason, wasClean: code !== 1006, initiator });
  }

  #unsendable(message: string, origin: 'local' | 'remote', closeCode?: number): YamuxWebSocketError {
    return new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_CLOSED', `${message} before all bytes were sent`, {
      origin,
      closeCode,
    });
  }

  /** Starts the closing handshake unless the peer has started it. Terminates the socket if the handshake takes longer than `closeTimeout`. */
  #sendClose(closeFrame: CloseFrame): void {
    if (this.#gone) return;
    if (this.#socket.state === 'open') {
      this.#sentClose = closeFrame;
      this.#socket.close(closeFrame.code, closeFrame.reason);
    }
    this.#closeTimer ??= systemClock.setTimeout(() => this.#terminate(), this.closeTimeout);
  }

  #terminate(): void {
    this.#terminated = this.#socket.state !== 'closing' || this.#sentClose !== undefined;
    this.#socket.terminate();
  }

  #silent(): void {
    const message = `The peer did not answer a WebSocket ping within ${this.#options.wsPing} ms (wsPing)`;
    this.destroy(new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_PING_TIMEOUT', message));
  }

  #stalled(): void {
    const message = `Nothing could be sent for ${this.#options.writeTimeout} ms (writeTimeout)`;
    this.destroy(new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_WRITE_TIMEOUT', message, { origin: 'local' }));
  }

  #overflowed(what: 'are unread' | 'wait to be sent'): void {
    const message = `More than ${this.#options.maxBufferedBytes} bytes ${what} (maxBufferedBytes)`;
    this.destroy(new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_BUFFER_FULL', message, { origin: 'local' }));
  }
}

/** Empty messages have no use. They are cheap to send, and each costs the receiver an event. */
const MAX_EMPTY_MESSAGES = 1024;

/** Both highWaterMarks: one whole message in each direction. */
const BUFFER_BYTES = 64 * 1024;

function isPieces(data: MessageData): data is readonly Uint8Array[] {
  return Array.isArray(data);
}

function byteLength(data: MessageData): number {
  if (!isPieces(data)) return data.byteLength;
  let bytes = 0;
  for (const piece of data) bytes += piece.byteLength;
  return bytes;
}

/** A view of the same memory, never a copy. */
function asBuffer(data: Uint8Array | ArrayBuffer): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
