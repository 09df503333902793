// A session as the application has it: methods, events and promises over an engine.

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

/** One Yamux connection over any Duplex. Made by {@link client} and {@link server}. */
export class YamuxSession extends EventEmitter<SessionEvents> {
  /** Which ids are ours: the client opens odd ones. Both sides may open and accept. */
  readonly role: Role;
  readonly #trace = new Trace(this);
  readonly #engine: Engine;
  readonly #closing: Closing;
  /** Of `closed`: one promise, however often it is asked for. */
  readonly #over = new WaitingLine<void>();
  readonly #closed: Promise<void> = this.#over.wait();
  /** The last event is out. */
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
   * 'draining' from the first word of an end, by either side: close(), goAway(), the peer's GoAway, or all ids used up. What is then
   * still possible, the methods tell.
   */
  get state(): 'open' | 'draining' | 'closed' {
    return this.#engine.state;
  }

  /** Why the session ended uncleanly; null otherwise. Known before the transport is ended. */
  get errored(): Error | null {
    return this.#engine.errored;
  }

  /** Resolves when the session is over, however it ended: with the events 'error' and 'close', of which `errored` has the first. Never rejects. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  /** Streams that live, of both directions. */
  get streamCount(): number {
    return this.#engine.streams.table.size;
  }

  /** ms: the least of the recent round trips; undefined before the first pong. */
  get rtt(): number | undefined {
    return this.#engine.keepAlive.rtt;
  }

  /**
   * ms for which what was written has waited in vain: for the transport, while that took nothing; or for credit, until the peer gives some or sends
   * payload, on any stream. Streams that are given up meanwhile do not end it. 0 where nothing has waited. A peer that has stalled is
   * known by it long before a timeout; an upload that flows has waited since its last credit.
   */
  get stalledFor(): number {
    return this.#engine.stalledFor;
  }

  /** The figures of this moment, counted when asked for. */
  stats(): SessionStats {
    return this.#engine.stats();
  }

  /**
   * Opens a stream. Resolves as soon as its SYN is queued, without waiting for the peer: data may be written at once. If the peer has
   * `maxUnacknowledged` streams unanswered, waits in order until it answers one.
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
   * A stream at once, as net.connect() gives a socket: it is `connecting` until its SYN is queued, and then emits 'connect'. What is written
   * meanwhile goes out behind it. Where open() would reject, the stream emits 'error'. Until then destroy() and the signal take the call back.
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
   * The round trip in ms. Calls share the one ping that is under way.
   *
   * @throws {YamuxError} ERR_YAMUX_PING_TIMEOUT after keepAliveTimeout; ERR_YAMUX_SESSION_CLOSED: the session is over.
   */
  ping(options: WaitOptions = {}): Promise<number> {
    checkOptions('ping()', options, WAIT_OPTIONS);
    if (!this.#engine.isRunning) return Promise.reject(sessionClosed(this.errored));
    return this.#engine.keepAlive.ping(options.signal);
  }

  /**
   * Tells the peer to open no new streams; live ones go on, and we may still open. Resolves when the peer knows, or the session is
   * over. hashicorp/yamux and this package keep live streams; go-yamux, rust-yamux and libp2p end them on any GoAway: towards those
   * use close().
   */
  goAway(): Promise<void> {
    this.#engine.sayGoAway();
    return this.#engine.goAway.untilKnown();
  }

  /**
   * Ends the session gracefully: refuses new streams in both directions, waits for the live ones, then says GoAway and ends the
   * transport, which may close as late as it likes while it makes progress, and is destroyed after five seconds without any (longer, up to a
   * minute, on a link that was slower than 26 KB/s, and behind more than 32 KiB sent since the last pong). Streams that are still open after
   * `timeout` ms error with ERR_YAMUX_SESSION_CLOSED, and it still resolves.
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
   * Ends the session now. Every stream errors with `error`, or with ERR_YAMUX_SESSION_CLOSED without one; the session emits 'error'
   * only if there is one.
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
