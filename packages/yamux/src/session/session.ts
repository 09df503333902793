// One connection: wires its parts together and owns its life. What frames mean is in frame-router.ts, what goes out in outbox.ts.

import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { checkDelay } from '../clock.ts';
import { ProtocolError, type SessionClosedError } from '../errors.ts';
import { inspectAs } from '../inspect-as.ts';
import type { YamuxStream } from '../stream/stream.ts';
import { throwOutside } from '../throw-outside.ts';
import { Trace } from '../trace.ts';
import { Flag, FrameType, GoAwayCode, SESSION_ID } from '../wire/constants.ts';
import { Closing } from './closing.ts';
import * as endings from './endings.ts';
import type { SessionEvents } from './events.ts';
import { FrameRouter } from './frame-router.ts';
import { GoAway } from './go-away.ts';
import { KeepAlive } from './keep-alive.ts';
import { type CloseOptions, resolveOptions, type SessionOptions, type WaitOptions } from './options.ts';
import { Outbox } from './outbox.ts';
import type { SessionStats } from './stats.ts';
import type { Role } from './stream-table.ts';
import { Streams } from './streams.ts';
import { Transport } from './transport.ts';
import { WriteWatch } from './write-watch.ts';

type Life = 'open' | 'ending' | 'closed';

/** One Yamux connection over any Duplex. Made by {@link client} and {@link server}. */
export class YamuxSession extends EventEmitter<SessionEvents> {
  /** Which ids are ours: the client opens odd ones. Both sides may open and accept. */
  readonly role: Role;
  readonly #trace = new Trace(this);
  readonly #transport: Transport;
  readonly #outbox: Outbox;
  readonly #router: FrameRouter;
  readonly #keepAlive: KeepAlive;
  readonly #writeWatch: WriteWatch;
  readonly #streams: Streams;
  readonly #goAway = new GoAway();
  readonly #closing: Closing;
  #life: Life = 'open';
  #errored: Error | null = null;

  static {
    inspectAs(YamuxSession.prototype, 'YamuxSession', (session) => {
      return { role: session.role, state: session.state, ...session.stats() };
    });
  }

  /** @internal */
  constructor(role: Role, transport: Duplex, options?: SessionOptions) {
    super();
    const resolved = resolveOptions(options);
    this.role = role;
    this.#transport = new Transport(transport, resolved.clock, {
      received: (chunk) => this.#router.receive(chunk),
      ended: () => this.#transportEnded(),
      failed: (error) => this.#fail(endings.transportFailed(error)),
      closed: () => this.#transportClosed(),
    });
    this.#outbox = new Outbox(transport, resolved.maxFramePayload, this.#trace, {
      handedOver: () => this.#writeWatch.begin(),
      progressed: () => this.#writeWatch.progressed(),
      peerStalled: () => this.#fail(endings.peerStalled()),
    });
    this.#writeWatch = new WriteWatch(transport, resolved, () =>
      this.#fail(endings.writeTimedOut(resolved.writeTimeout)),
    );
    this.#keepAlive = new KeepAlive(resolved, this.#transport, {
      sendPing: (value) => this.#outbox.control(FrameType.Ping, Flag.Syn, SESSION_ID, value),
      peerIsDead: () => this.#fail(endings.peerDied(resolved.keepAliveTimeout)),
    });
    this.#closing = new Closing(resolved.clock);
    this.#streams = new Streams(transport, role, resolved, this.#outbox, this.#trace, {
      refusesInbound: () => this.#goAway.isKnown || this.#closing.hasBegun,
      hasListeners: () => this.listenerCount('stream') > 0,
      emit: (stream) => this.emit('stream', stream),
      roundTrip: () => this.rtt,
      measureRoundTrip: () => this.#keepAlive.measure(),
      emptied: () => {
        if (this.#closing.hasBegun) process.nextTick(this.#endIfDone);
      },
    });
    this.#router = new FrameRouter(this.#streams.table, this.#trace, {
      openInbound: (id) => this.#streams.openInbound(id),
      answerPing: (value) => this.#outbox.control(FrameType.Ping, Flag.Ack, SESSION_ID, value),
      pong: (value) => this.#keepAlive.pong(value),
      goAway: (code) => this.#goAwayReceived(code),
      violated: (error) => this.#fail(error),
    });
    // EventEmitter's types know only our own events here.
    (this as EventEmitter).on('newListener', (event) => {
      if (event === 'stream') process.nextTick(() => this.#streams.accepts.drainToListeners());
    });
    this.#trace.sessionOpened();
    this.#keepAlive.start();
  }

  /**
   * 'draining' from the first word of an end, by either side: close(), goAway(), the peer's GoAway, or all ids used up. What is then
   * still possible, the methods tell.
   */
  get state(): 'open' | 'draining' | 'closed' {
    if (this.#life !== 'open') return 'closed';
    const saidGoAway = this.#goAway.isSent || this.#goAway.received !== undefined;
    return this.#closing.hasBegun || saidGoAway || this.#streams.opens.isExhausted ? 'draining' : 'open';
  }

  /** Why the session ended uncleanly; null otherwise. Known before the transport is ended. */
  get errored(): Error | null {
    return this.#errored;
  }

  /** Streams that live, of both directions. */
  get streamCount(): number {
    return this.#streams.table.size;
  }

  /** ms: the least of the recent round trips; undefined before the first pong. */
  get rtt(): number | undefined {
    return this.#keepAlive.rtt;
  }

  /** The figures of this moment, counted when asked for. */
  stats(): SessionStats {
    const { table, opens, accepts } = this.#streams;
    const { size, outboundSize } = table;
    return {
      streams: size,
      inboundStreams: size - outboundSize,
      outboundStreams: outboundSize,
      backlog: accepts.backlog,
      unacknowledged: opens.unacknowledged,
      waitingOpens: opens.waiting,
      bytesReceived: this.#transport.bytesReceived,
      bytesSent: this.#outbox.bytesSent,
      framesReceived: this.#router.framesReceived,
      framesSent: this.#outbox.framesSent,
      receiveWindows: table.windowBytes,
      queuedBytes: this.#outbox.queuedBytes,
      rtt: this.rtt,
    };
  }

  /**
   * Opens a stream. Resolves as soon as its SYN is queued, without waiting for the peer: data may be written at once. If the peer has
   * `maxUnacknowledged` streams unanswered, waits in order until it answers one.
   *
   * @throws {SessionClosedError} ERR_YAMUX_GO_AWAY: the peer takes no new streams; ERR_YAMUX_STREAMS_EXHAUSTED: all ids are used up;
   * ERR_YAMUX_SESSION_CLOSED: the session is closing or over.
   */
  open({ signal }: WaitOptions = {}): Promise<YamuxStream> {
    const refusal = this.#refusalToOpen();
    return refusal ? Promise.reject(refusal) : this.#streams.opens.open(signal);
  }

  /**
   * The next stream that the peer opened.
   *
   * @throws {SessionClosedError} ERR_YAMUX_SESSION_CLOSED: the session is over; `cause` has why, if it ended uncleanly.
   */
  accept({ signal }: WaitOptions = {}): Promise<YamuxStream> {
    if (this.#life !== 'open') return Promise.reject(endings.sessionClosed(this.#errored));
    return this.#streams.accepts.accept(signal);
  }

  /** Accepts streams until the session ends; throws if it ends uncleanly. Leaving the loop only stops accepting. */
  async *[Symbol.asyncIterator](): AsyncGenerator<YamuxStream, void, undefined> {
    while (this.#life === 'open' || this.#errored) {
      try {
        yield await this.accept();
      } catch (error) {
        if (this.#errored) throw error;
        return;
      }
    }
  }

  /**
   * The round trip in ms. Calls share the one ping that is under way.
   *
   * @throws {YamuxError} ERR_YAMUX_PING_TIMEOUT after keepAliveTimeout; ERR_YAMUX_SESSION_CLOSED: the session is over.
   */
  ping({ signal }: WaitOptions = {}): Promise<number> {
    if (this.#life !== 'open') return Promise.reject(endings.sessionClosed(this.#errored));
    return this.#keepAlive.ping(signal);
  }

  /**
   * Tells the peer to open no new streams; live ones go on, and we may still open. Resolves when the peer knows, or the session is
   * over. hashicorp/yamux and this package keep live streams; go-yamux, rust-yamux and libp2p end them on any GoAway: towards those
   * use close().
   */
  goAway(): Promise<void> {
    if (this.#life === 'open' && !this.#goAway.isSent) {
      this.#goAway.send();
      this.#outbox.control(FrameType.GoAway, 0, SESSION_ID, GoAwayCode.Normal);
      this.#keepAlive.afterRoundTrip(() => this.#goAway.settle());
    }
    return this.#goAway.untilKnown();
  }

  /**
   * Ends the session gracefully: refuses new streams in both directions, waits for the live ones, then says GoAway and ends the
   * transport, which has five seconds to close. Streams that are still open after `timeout` ms error with ERR_YAMUX_SESSION_CLOSED, and it
   * still resolves. Repeated calls share one promise.
   *
   * @throws the error of a session that died uncleanly meanwhile, or the signal's reason.
   */
  close({ timeout, signal }: CloseOptions = {}): Promise<void> {
    if (timeout !== undefined) checkDelay('timeout', timeout);
    if (!this.#closing.hasBegun) this.#beginClose();
    if (this.#life !== 'closed') {
      if (timeout !== undefined)
        this.#closing.limit(timeout, () => this.#streams.table.destroyAll(endings.closeTimedOut(timeout)));
      if (signal) this.#closing.abortOn(signal, () => this.destroy());
    }
    return this.#closing.promise;
  }

  /**
   * Ends the session now. Every stream errors with `error`, or with ERR_YAMUX_SESSION_CLOSED without one; the session emits 'error'
   * only if there is one.
   */
  destroy(error?: Error): void {
    if (this.#life === 'closed') return;
    if (error) {
      this.#fail(error);
      return;
    }
    this.#life = 'closed';
    this.#stop(endings.sessionDestroyed());
    this.#outbox.close();
    this.#transport.destroy();
    this.#finish();
  }

  /** Lets the transport keep the process alive, as it does at first. */
  ref(): this {
    this.#transport.ref();
    return this;
  }

  /** Lets the process end although the transport is open. */
  unref(): this {
    this.#transport.unref();
    return this;
  }

  /** `close({ timeout: 5000 })`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ timeout: 5000 });
  }

  #refusalToOpen(): SessionClosedError | undefined {
    if (this.#life !== 'open' || this.#closing.hasBegun) return endings.sessionClosed(this.#errored);
    if (this.#goAway.received !== undefined) return endings.goneAway(this.#goAway.received);
    return this.#streams.opens.isExhausted ? endings.idsUsedUp() : undefined;
  }

  #goAwayReceived(code: number): void {
    // Said again, it says nothing new.
    if (code === this.#goAway.received) return;
    this.#goAway.receive(code);
    try {
      this.emit('goAway', code);
    } catch (error) {
      throwOutside(error);
    }
    const error = endings.goneAway(code);
    if (code === GoAwayCode.Normal) this.#streams.opens.failAll(error);
    else this.#fail(error);
  }

  #transportEnded(): void {
    if (this.#life !== 'open') return;
    if (this.#router.isInsideFrame) {
      this.#fail(endings.transportEndedInFrame());
    } else if (this.#streams.table.hasLive) {
      this.#fail(endings.transportEndedUnder(this.#streams.table.size));
    } else {
      this.#life = 'ending';
      this.#stop(endings.sessionClosed(null));
      this.#outbox.close();
      this.#transport.duplex.end();
      this.#transport.closeWithin();
    }
  }

  #transportClosed(): void {
    if (this.#life !== 'ending') return;
    this.#life = 'closed';
    this.#finish();
  }

  #beginClose(): void {
    // From here on the promise exists, and with it hasBegun.
    void this.#closing.promise;
    if (this.#life === 'closed') {
      this.#closing.settle(this.#errored);
      return;
    }
    this.#streams.opens.failAll(endings.sessionClosed(null));
    // Nobody will accept these any more; the peer may try them elsewhere.
    for (const stream of this.#streams.accepts.takeBacklog()) stream.reset();
    process.nextTick(this.#endIfDone);
  }

  readonly #endIfDone = (): void => {
    if (this.#life !== 'open' || this.#streams.table.size > 0) return;
    this.#life = 'ending';
    this.#outbox.end(GoAwayCode.Normal);
    this.#stop(endings.sessionClosed(null));
    this.#transport.closeWithin();
  };

  #fail(error: Error): void {
    if (this.#life === 'closed') return;
    if (this.#life === 'ending') {
      // All was said and the last GoAway is out: how the transport dies now changes nothing.
      this.#transport.destroy();
      return;
    }
    this.#life = 'closed';
    this.#errored = error;
    this.#stop(error);
    if (error instanceof ProtocolError) {
      this.#outbox.end(GoAwayCode.ProtocolError);
      this.#transport.closeWithin(error);
    } else {
      this.#outbox.close();
      this.#transport.destroy(error);
    }
    this.#finish();
  }

  /** Nothing more is received, waited for or timed; every stream that is left ends with `error`. */
  #stop(error: Error): void {
    this.#router.stop();
    this.#writeWatch.stop();
    const closed = endings.sessionClosed(this.#errored);
    this.#keepAlive.stop(closed);
    this.#goAway.settle();
    this.#streams.stop(closed, error);
  }

  // The streams emit their last events on the next tick, held ones in the next setImmediate, which was asked for before this one.
  #finish(): void {
    setImmediate(() => {
      this.#closing.settle(this.#errored);
      try {
        if (this.#errored) this.emit('error', this.#errored);
      } finally {
        this.#trace.sessionClosed();
        this.emit('close');
      }
    });
  }
}
