// A session of yamux-js: a Duplex that the application pipes through its connection. Inside is a session of @zishuo/yamux.

import { Duplex, type Readable } from 'node:stream';
import { client, server, systemClock, type YamuxSession, type YamuxStream } from '@zishuo/yamux';
import { ERRORS } from './constants.ts';
import { failureOf } from './failure.ts';
import { type Config, type FullConfig, milliseconds, sessionOptions, withDefaults } from './mux.ts';
import { PipedTransport } from './piped-transport.ts';
import { asStream, type Stream } from './stream.ts';

type Callback = (error?: Error | null) => void;

/** ms that close() takes at most to send what was written, and to let the peer end its side of these streams. */
const CLOSE_PATIENCE = 1000;

/** One Yamux connection: `session.pipe(socket).pipe(session)`. */
export class Session extends Duplex {
  /** The options, with the defaults of those that were not given. */
  readonly config: FullConfig;
  readonly #transport: PipedTransport;
  readonly #session: YamuxSession;
  readonly #streams = new Set<Stream>();
  #hasPeerGone = false;
  #isClosed = false;

  /** Without `onStream`, which gets each stream that the peer opens, these are refused. */
  constructor(isClient: boolean, config: Config = {}, onStream?: (stream: Stream) => void) {
    super();
    this.config = withDefaults(config);
    this.#transport = new PipedTransport(this);
    const options = sessionOptions(this.config, onStream !== undefined);
    this.#session = (isClient ? client : server)(this.#transport, options);
    if (onStream) this.#session.on('stream', (stream) => onStream(this.#keep(stream)));
    this.#session.on('goAway', () => {
      this.#hasPeerGone = true;
    });
    this.#session.on('error', (error) => this.#failed(error));
    this.#session.on('close', () => this.#over());
  }

  /** A new stream, at once. If none can be opened any more, the session and the stream emit 'error'. */
  open(): Stream {
    const stream = this.#keep(this.#session.connect());
    // A stream that is opened has its id by now.
    if (stream.id === 0) stream.once('error', (error) => this.#refused(error));
    else this.#limitOpening(stream);
    return stream;
  }

  /** Whether close() was called, or the session is over. */
  isClosed(): boolean {
    return this.#isClosed;
  }

  /**
   * Ends the session and destroys its streams. What was written on streams that were ended goes out first, for a second at most.
   *
   * @param error is emitted.
   */
  close(error?: Error): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const hasUnsent = this.#transport.writableLength > 0 || [...this.#streams].some(isUnsent);
    for (const stream of this.#streams) stream.destroy();
    if (hasUnsent) {
      void this.#session.close({ timeout: CLOSE_PATIENCE });
    } else {
      // Now, as yamux-js does: many programs close their connection in the next line, and some connections then emit an error at a write.
      this.#transport.sayGoAway();
      this.#session.destroy();
    }
    if (error) this.emit('error', error);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#transport.receive(chunk, callback);
  }

  override _final(callback: Callback): void {
    this.#transport.receiveEnd();
    callback();
  }

  override _read(): void {
    this.#transport.outsideReads();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#isClosed = true;
    this.#session.destroy(error ?? undefined);
    callback(error);
  }

  #keep(stream: YamuxStream): Stream {
    const kept = asStream(stream, milliseconds(this.config.streamCloseTimeout));
    this.#streams.add(kept);
    kept.once('close', () => this.#streams.delete(kept));
    return kept;
  }

  #limitOpening(stream: Stream): void {
    const timeout = milliseconds(this.config.streamOpenTimeout);
    if (timeout === 0) return;
    const timer = systemClock.setTimeout(() => stream.destroy(new Error(ERRORS.errTimeout.message)), timeout);
    for (const event of ['acknowledged', 'close']) stream.once(event, () => systemClock.clearTimeout(timer));
  }

  /** A stream could not be opened. Programs for yamux-js learn by that on the session that it is to be replaced. */
  #refused(error: Error): void {
    const failure = this.#hasPeerGone ? new Error(ERRORS.errRemoteGoAway.message, { cause: error }) : failureOf(error);
    if (!failure) return;
    // Node's pipe() lets go of what emits 'error'; but the streams that were opened before go on.
    const sources: Readable[] = [];
    const letGo = (source: Readable): void => void sources.push(source);
    this.on('unpipe', letGo);
    try {
      this.emit('error', failure);
    } finally {
      this.off('unpipe', letGo);
      if (!this.#isClosed) for (const source of sources) source.pipe(this);
    }
  }

  #failed(error: Error): void {
    this.#isClosed = true;
    const failure = failureOf(error);
    if (!failure) return;
    this.config.logger(`[ERR] yamux: ${failure.message}`);
    this.destroy(failure);
  }

  /** The inner session is over. What it sent last may still have to be read. */
  #over(): void {
    this.#isClosed = true;
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }
}

function isUnsent(stream: Stream): boolean {
  return stream.writableLength > 0 || (stream.writableEnded && !stream.writableFinished);
}
