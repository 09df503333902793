// The session that the application uses: methods, events and promises over an engine.

import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { checkDelay } from '../clock.ts';
import type { YamuxStream } from '../duplex/yamux-stream.ts';
import { inspectAs } from '../inspect-as.ts';
import { Trace } from '../trace.ts';
import { Closing } from './closing.ts';
import { closeTimedOut, sessionClosed } from './endings.ts';
import { Engine } from './engine.ts';
import type { SessionEvents } from './events.ts';
import {
  CLOSE_OPTIONS,
  type CloseOptions,
  checkOpenOptions,
  checkOptions,
  type OpenOptions,
  resolveOptions,
  type SessionOptions,
  WAIT_OPTIONS,
  type WaitOptions,
} from './options.ts';
import type { SessionStats } from './stats.ts';
import type { Role } from './stream-table.ts';
import { WaitingLine } from './waiting-line.ts';

/** One Yamux connection over any Duplex. Created by {@link client} and {@link server}. */
export class YamuxSession extends EventEmitter<SessionEvents> {
  /** The role, which decides the ids: the client opens odd ones. Both sides may open and accept. */
  readonly role: Role;
  readonly #trace = new Trace(this);
  readonly #engine: Engine;
  readonly #closing: Closing;
  /** The promise of `closed`. */
  readonly #over = new WaitingLine<void>();
  readonly #closed: Promise<void> = this.#over.wait();
  /** The last event was emitted. */
  #isFinished = false;

  static {
    inspectAs(YamuxSession.prototype, 'YamuxSession', (session) => {
      return { role: session.role, state: session.state, ...session.stats() };
    });
  }

  /** @internal */
  constructor(role: Role, transport: Duplex, options?: SessionOptions) {
    super();
    const resolved = resolveOptions(options, `${role}()`);
    this.role = role;
    this.#closing = new Closing(resolved.clock);
    this.#engine = new Engine(role, transport, resolved, this.#trace, {
      hasStreamListeners: () => this.listenerCount('stream') > 0,
      stream: (stream) => this.emit('stream', stream),
      goAway: (code) => this.emit('goAway', code),
      finished: (error) => this.#finished(error),
    });
    // EventEmitter's types know only our own events here.
    (this as EventEmitter).on('newListener', (event) => {
      if (event === 'stream') process.nextTick(() => this.#engine.streams.accepts.drainToListeners());
    });
    this.#engine.keepAlive.start();
    // User code may listen, and may end the session.
    this.#trace.sessionOpened();
  }

  /**
   * 'draining' after close(), goAway(), a GoAway of the peer, or when all ids are used up. The documentation of each method says whether it
   * still works then.
   */
  get state(): 'open' | 'draining' | 'closed' {
    return this.#engine.state;
  }

  /** The reason of an unclean end; else null. Set before the transport is ended. */
  get errored(): Error | null {
    return this.#engine.errored;
  }

  /** Resolves when the session has ended, cleanly or not, at the event 'close'. `errored` has the error. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Live streams of both directions. */
  get streamCount(): number {
    return this.#engine.streams.table.size;
  }

  /** ms: the least of the recent round trips; undefined before the first pong. */
  get rtt(): number | undefined {
    return this.#engine.keepAlive.rtt;
  }

  /**
   * ms for which written data has waited without progress: for a transport that takes nothing, or for credit while the peer gives none and
   * sends no payload on any stream. 0 if nothing waits. Streams that are destroyed meanwhile do not reset the value. It shows a stalled peer long
   * before a timeout. During a flowing upload it is the time since the last credit.
   */
  get stalledFor(): number {
    return this.#engine.stalledFor;
  }

  /** The current figures, counted at the call. */
  stats(): SessionStats {
    return this.#engine.stats();
  }

  /**
   * Opens a stream. Resolves as soon as its SYN is queued, without waiting for the peer: data may be written at once. While
   * `maxUnacknowledged` streams are without an answer of the peer, further calls wait in order.
   *
   * @throws {SessionClosedError} ERR_YAMUX_GO_AWAY: the peer takes no new streams; ERR_YAMUX_STREAMS_EXHAUSTED: all ids are used up;
   * ERR_YAMUX_SESSION_CLOSED: the session is closing or over.
   */
  open(options: OpenOptions = {}): Promise<YamuxStream> {
    checkOpenOptions('open()', options);
    const refusal = this.#engine.refusalToOpen();
    return refusal ? Promise.reject(refusal) : this.#engine.streams.open(options);
  }

  /**
   * Returns a stream at once, as net.connect() returns a socket. The stream is `connecting` until its SYN is queued, and then emits 'connect'. Data
   * that is written meanwhile is sent after the SYN. If open() would reject, the stream emits 'error'. destroy() and the signal cancel the open.
   */
  connect(options: OpenOptions = {}): YamuxStream {
    checkOpenOptions('connect()', options);
    return this.#engine.streams.connect(options, this.#engine.refusalToOpen());
  }

  /**
   * The next stream that the peer opened.
   *
   * @throws {SessionClosedError} ERR_YAMUX_SESSION_CLOSED: the session is over; `cause` has why, if it ended uncleanly.
   */
  accept(options: WaitOptions = {}): Promise<YamuxStream> {
    checkOptions('accept()', options, WAIT_OPTIONS);
    if (!this.#engine.isRunning) return Promise.reject(sessionClosed(this.errored));
    return this.#engine.streams.accepts.accept(options.signal);
  }

  /** Accepts streams until the session ends; throws if it ends uncleanly. Leaving the loop only stops accepting. */
  async *[Symbol.asyncIterator](): AsyncGenerator<YamuxStream, void, undefined> {
    while (this.#engine.isRunning || this.errored) {
      try {
        yield await this.accept();
      } catch (error) {
        if (this.errored) throw error;
        return;
      }
    }
  }

  /**
   * Measures the round trip, in ms. Concurrent calls share one ping.
   *
   * @throws {YamuxError} ERR_YAMUX_PING_TIMEOUT after keepAliveTimeout; ERR_YAMUX_SESSION_CLOSED: the session is over.
   */
  ping(options: WaitOptions = {}): Promise<number> {
    checkOptions('ping()', options, WAIT_OPTIONS);
    if (!this.#engine.isRunning) return Promise.reject(sessionClosed(this.errored));
    return this.#engine.keepAlive.ping(options.signal);
  }

  /**
   * Tells the peer to open no new streams. Live streams continue, and this side may still open streams. Resolves when the peer has got the GoAway,
   * or when the session has ended. hashicorp/yamux and this package keep live streams. go-yamux, rust-yamux and libp2p end them on any
   * GoAway: with these peers use close().
   */
  goAway(): Promise<void> {
    this.#engine.sayGoAway();
    return this.#engine.goAway.untilKnown();
  }

  /**
   * Ends the session gracefully: refuses new streams in both directions, waits for the live streams, then sends GoAway and ends the
   * transport. The transport may take any time while it makes progress. It is destroyed after five seconds without progress (longer, up to a
   * minute, on a link slower than 26 KB/s, and after more than 32 KiB since the last pong). Streams that are still open after
   * `timeout` ms fail with ERR_YAMUX_SESSION_CLOSED; the promise still resolves.
   * Repeated calls share one promise.
   *
   * @throws the error of a session that died uncleanly meanwhile: ERR_YAMUX_TRANSPORT_ENDED if the transport closed before it had taken all
   * that the streams had sent; or the signal's reason.
   */
  close(options: CloseOptions = {}): Promise<void> {
    checkOptions('close()', options, CLOSE_OPTIONS);
    const { timeout, signal } = options;
    if (timeout !== undefined) checkDelay('timeout', timeout);
    // From here on the promise exists.
    const { promise } = this.#closing;
    this.#engine.close();
    if (this.#isFinished) {
      this.#closing.settle(this.errored);
    } else {
      if (timeout !== undefined)
        this.#closing.limit(timeout, () => this.#engine.streams.table.expelAll(closeTimedOut(timeout)));
      if (signal) this.#closing.abortOn(signal, () => this.destroy());
    }
    return promise;
  }

  /**
   * Ends the session now. Every stream fails with `error`, or with ERR_YAMUX_SESSION_CLOSED without one. The session emits 'error'
   * only if `error` is given.
   */
  destroy(error?: Error): void {
    if (error) this.#engine.fail(error);
    else this.#engine.destroy();
  }

  /** Lets the transport keep the process alive, as it does at first. */
  ref(): this {
    this.#engine.transport.ref();
    return this;
  }

  /** Lets the process end although the transport is open. */
  unref(): this {
    this.#engine.transport.unref();
    return this;
  }

  /** `close({ timeout: 5000 })`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ timeout: 5000 });
  }

  #finished(error: Error | null): void {
    this.#isFinished = true;
    this.#closing.settle(error);
    this.#over.serveAll();
    try {
      if (error) this.emit('error', error);
    } finally {
      this.#trace.sessionClosed();
      this.emit('close');
    }
  }
}
