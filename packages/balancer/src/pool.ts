// The pool: who is in it, and what its parts make of that. How an open goes its way is the opener's matter; how sessions come to be, and
// what their streams carry, is nobody's here.
import type { Duplex } from 'node:stream';
import { type InspectOptions, inspect } from 'node:util';
import { checkDelay, checkMethods, checkOptions } from './checks.ts';
import { Candidates } from './choosing/candidates.ts';
import { Chooser } from './choosing/chooser.ts';
import type { Clock } from './clock.ts';
import { DuplicateSessionError, PoolClosedError, PoolError } from './errors.ts';
import { EjectionLimit } from './health/ejection-limit.ts';
import { Classifier } from './health/failure.ts';
import { Outliers } from './health/outliers.ts';
import { Recovery } from './health/recovery.ts';
import type { DrainHandle, DrainOptions } from './member/drain.ts';
import { Member } from './member/member.ts';
import type { MemberPort } from './member/member-port.ts';
import type { SessionChange, SessionUpdate } from './member/session-change.ts';
import { SessionRef } from './member/session-ref.ts';
import type { RemovalReason } from './observe/events.ts';
import { explain, type SessionExplanation } from './observe/explain.ts';
import { Hooks } from './observe/hooks.ts';
import { countSessions, type PoolStats, type PoolTotals, type SessionSnapshot } from './observe/stats.ts';
import { Opener, type OpenSettings } from './open/opener.ts';
import type { OpenedStream } from './opened-stream.ts';
import {
  type OpenOptions,
  openSettings,
  type PoolOptions,
  type PoolSettings,
  poolSettings,
  type SessionOptions,
  sessionSettings,
} from './options.ts';
import type { PoolableSession, StreamOf } from './poolable-session.ts';
import { constraintsOf, NO_ROUTING, type RoutingContext } from './routing.ts';

/** New sessions come before all that have been picked, in order of adding. */
const FIRST_TURN = Number.MIN_SAFE_INTEGER;
const DISPOSE_TIMEOUT = 5_000;

/**
 * Opens each stream on the right one of many sessions, and counts exactly. Sessions come in by {@link add}, streams go out by
 * {@link open}; everything else is for looking at it, or for changing who serves.
 *
 * `new SessionPool<YamuxSession>()` takes and gives sessions and streams of that type; without one they are {@link PoolableSession} and
 * Duplex.
 */
export class SessionPool<Session extends PoolableSession = PoolableSession, Stream extends Duplex = StreamOf<Session>> {
  readonly #settings: PoolSettings;
  /** Of opens without options. */
  readonly #openSettings: OpenSettings;
  readonly #clock: Clock;
  readonly #hooks: Hooks;
  readonly #chooser: Chooser;
  readonly #candidates: Candidates<Member>;
  readonly #recovery = new Recovery<Member>();
  readonly #opener: Opener;
  /** Undefined unless failed sessions are closed. */
  readonly #ejections: EjectionLimit | undefined;
  /** Undefined unless they are looked for. */
  readonly #outliers: Outliers<Member> | undefined;
  readonly #memberPort: MemberPort;
  readonly #members = new WeakMap<PoolableSession, Member>();
  readonly #refs = new WeakMap<Member, SessionRef<Session>>();
  #added = 0;
  #closed: PoolClosedError | undefined;
  #closing: Promise<void> | undefined;
  #closesAt = Infinity;
  #closeTimer: unknown;

  /**
   * An empty pool: sessions join by `add()`.
   * @throws RangeError or TypeError for a wrong option, InvalidStrategyError (`ERR_YAMUX_POOL_INVALID_STRATEGY`) for a
   * strategy that is none, has no such name, or belongs to another pool.
   */
  constructor(options: PoolOptions = {}) {
    const settings = poolSettings(options);
    const { clock, random, openAttempts, maxWaiting } = settings;
    const hooks = new Hooks(settings.hooks, this, clock);
    const recovery = this.#recovery;
    const chooser = new Chooser(
      settings.strategy,
      {
        now: () => clock.now(),
        random,
        bound: (event) => hooks.affinityBound(event),
        evicted: (event) => hooks.affinityEvicted(event),
      },
      hooks,
    );
    const candidates = new Candidates<Member>(chooser.order, settings.panicThreshold);
    const opener = new Opener({ openAttempts, maxWaiting, clock, hooks, chooser, candidates, recovery });
    if (settings.closeFailedSessions) {
      this.#ejections = new EjectionLimit(settings.maxEjectionPercent, settings.health.probeInterval);
    }
    this.#settings = settings;
    this.#openSettings = openSettings({}, settings);
    this.#clock = clock;
    this.#hooks = hooks;
    this.#chooser = chooser;
    this.#candidates = candidates;
    this.#opener = opener;
    const { outliers: rules } = settings;
    const outliers = rules && new Outliers<Member>(rules);
    this.#outliers = outliers;
    this.#memberPort = {
      clock,
      health: settings.health,
      classifier: new Classifier(settings.failureClassifier, hooks),
      hooks,
      isTimed: chooser.isTimed || outliers !== undefined,
      answered: (member, ms) => {
        if (chooser.isTimed) chooser.answered(member, ms);
        outliers?.answered(member, ms, clock.now());
      },
      unanswered: (member, ms) => chooser.unanswered(member, ms),
      faulted: (member) => outliers?.failed(member, clock.now()),
      changed: (member) => {
        candidates.update(member);
        recovery.update(member);
        opener.wake();
      },
      retagged: (member, before) => candidates.retag(member, before),
      updated: (member) => chooser.updated(member),
      drains: () => this.#countLeft(),
      ended: (member) => this.#ended(member),
      failed: (member, reason, error) => this.#eject(member, reason, error),
    };
  }

  /**
   * Takes a session in. It leaves by itself when it closes; its `'error'` is listened to and never throws; a GoAway of its
   * peer drains it. The session stays its owner's: the pool never ends it unless a drain asks for that.
   * @throws PoolClosedError (`ERR_YAMUX_POOL_CLOSED`), DuplicateSessionError (`ERR_YAMUX_POOL_DUPLICATE_SESSION`), PoolError
   * (`ERR_YAMUX_POOL_SESSION_CLOSED`) if the session has ended; RangeError or TypeError for a wrong option.
   */
  add(session: Session, options: SessionOptions = {}): SessionRef<Session> {
    checkMethods('session', session, ['open', 'on', 'off']);
    const settings = sessionSettings(options, () => this.#freeKey(), this.#settings.maxActiveStreams);
    // Who dials anew on the error of a stream is here before the session has told its own end.
    const before = this.#candidates.get(settings.key);
    if (before?.closed) this.#ended(before);
    if (this.#closed !== undefined) throw this.#closed;
    const twin = this.#members.get(session);
    if (twin !== undefined && !twin.removed) {
      throw new DuplicateSessionError(twin.key, `The session is in the pool already, as '${twin.key}'`);
    }
    if (this.#candidates.get(settings.key) !== undefined) {
      throw new DuplicateSessionError(settings.key, `A session with key '${settings.key}' is in the pool already`);
    }
    if (session.state === 'closed') {
      throw new PoolError('ERR_YAMUX_POOL_SESSION_CLOSED', `Session '${settings.key}' has ended`);
    }
    this.#added += 1;
    const member = new Member(
      this.#memberPort,
      session,
      settings,
      this.#candidates.takeOrdinal(),
      FIRST_TURN + this.#added,
    );
    if (twin !== undefined) member.adopt(twin);
    const ref = new SessionRef<Session>(member, () => this.#remove(member, 'removed'));
    this.#members.set(session, member);
    this.#refs.set(member, ref);
    this.#candidates.add(member);
    this.#outliers?.added(member);
    this.#chooser.added(member);
    this.#hooks.sessionAdded(member);
    this.#opener.joined(member);
    return ref;
  }

  /**
   * Opens a stream on a session that the strategy chooses among those that satisfy `routing` and take streams: the
   * session's own Duplex, not wrapped. It counts against the session until it is fully closed, so close it in time.
   *
   * A session that refuses is followed by another one (`openAttempts`); if there is none, the open rejects with the
   * session's own error.
   * @throws NoMatchingSessionError (`ERR_YAMUX_POOL_NO_MATCHING_SESSION`), NoAvailableSessionError
   * (`ERR_YAMUX_POOL_NO_AVAILABLE_SESSION`), InvalidStrategyError (`ERR_YAMUX_POOL_INVALID_STRATEGY`), OpenTimeoutError
   * (`ERR_YAMUX_POOL_OPEN_TIMEOUT`), PoolClosedError (`ERR_YAMUX_POOL_CLOSED`), the reason of `signal`, or what the session
   * rejected with.
   */
  open(routing?: RoutingContext, options?: OpenOptions): Promise<Stream> {
    return this.#open(routing, options, streamAlone) as Promise<Stream>;
  }

  /** As {@link open}, and tells which session serves the stream. */
  openStream(routing?: RoutingContext, options?: OpenOptions): Promise<OpenedStream<Session, Stream>> {
    return this.#open(routing, options, this.#streamWithRef);
  }

  readonly #streamWithRef = (member: Member, stream: Duplex): OpenedStream<Session, Stream> => ({
    stream: stream as Stream,
    session: this.#refOf(member),
  });

  #open<Result>(
    routing: RoutingContext | undefined,
    options: OpenOptions | undefined,
    resultOf: (member: Member, stream: Duplex) => Result,
  ): Promise<Result> {
    try {
      const settings = options === undefined ? this.#openSettings : openSettings(options, this.#settings);
      const constraints = constraintsOf(routing);
      // A copy: what the strategy is asked with is what it is told the outcome of, whatever the caller makes of its object meanwhile.
      const own = routing === undefined ? NO_ROUTING : { ...routing };
      return this.#opener.open(own, constraints, settings, resultOf);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #eject(member: Member, reason: string, cause: unknown): void {
    const { session, key } = member;
    if (this.#ejections === undefined || member.removed || session.destroy === undefined) return;
    if (!this.#ejections.take(this.#candidates.size, this.#clock.now())) return;
    const message = `Session '${key}' was closed as unhealthy: ${reason}`;
    const error = new PoolError('ERR_YAMUX_POOL_SESSION_UNHEALTHY', message, { cause });
    this.#hooks.guard('session.destroy', () => session.destroy?.(error));
  }

  /** The sessions of the pool, in order of adding. */
  sessions(): SessionRef<Session>[] {
    return Array.from(this.#candidates, (member) => this.#refOf(member));
  }

  /**
   * {@link SessionRef.drain} by key.
   * @throws PoolError (`ERR_YAMUX_POOL_UNKNOWN_SESSION`)
   */
  drainSession(key: string, options?: string | DrainOptions): DrainHandle {
    return this.#refByKey(key).drain(options);
  }

  /**
   * {@link SessionRef.resume} by key.
   * @throws PoolError (`ERR_YAMUX_POOL_UNKNOWN_SESSION`)
   */
  resumeSession(key: string): boolean {
    return this.#refByKey(key).resume();
  }

  /** {@link SessionRef.remove} by key; false if there is no such session. */
  removeSession(key: string): boolean {
    const member = this.#candidates.get(key);
    return member !== undefined && this.#remove(member, 'removed');
  }

  /**
   * {@link SessionRef.update} by key.
   * @throws PoolError (`ERR_YAMUX_POOL_UNKNOWN_SESSION`); RangeError or TypeError for a wrong label, weight, cap or metadata.
   */
  updateSession(key: string, ...changes: readonly (SessionChange | SessionUpdate)[]): SessionSnapshot {
    return this.#refByKey(key).update(...changes);
  }

  /**
   * For each session, in order of adding: whether an open with this routing may go there now, and why not. It takes no turn, no
   * slot and no binding, and starts no probe.
   * @throws TypeError if the routing is not of the documented shape.
   */
  explain(routing: RoutingContext = NO_ROUTING): SessionExplanation[] {
    const constraints = constraintsOf(routing);
    const candidates = this.#candidates;
    this.#recovery.wake(this.#clock.now());
    const bound = this.#chooser.boundTo(routing, () => candidates.matching(constraints));
    return explain(candidates, constraints, bound, this.#clock, candidates.isPanic(constraints));
  }

  /** Counted now, at a cost per session; without the snapshots of the sessions at a smaller one. */
  stats(options?: { readonly sessions?: true }): PoolStats;
  stats(options: { readonly sessions: boolean }): PoolTotals;
  stats(options: { readonly sessions?: boolean } = {}): PoolTotals | PoolStats {
    checkOptions('stats()', options, ['sessions']);
    const { sessions = true } = options;
    this.#recovery.wake(this.#clock.now());
    // First: it lets expired bindings go, and who hears of that may change what is counted here.
    const affinity = this.#chooser.affinityStats();
    const totals = {
      ...countSessions(this.#candidates),
      panic: this.#candidates.isPanic(constraintsOf(undefined)),
      waitingOpens: this.#opener.waiting,
      openAttempts: this.#opener.attempts,
      openFailures: this.#opener.failures,
      affinity,
    };
    return sessions ? { ...totals, sessions: Array.from(this.#candidates, (member) => member.snapshot()) } : totals;
  }

  /**
   * Refuses new opens and sessions, waits until every stream that the pool opened on its sessions is closed, and lets go of
   * the sessions, which stay open. Opens that wait for a session reject with PoolClosedError. After `timeout` milliseconds (default: none)
   * the streams that are left end with `ERR_YAMUX_POOL_CLOSED`; of several calls the earliest end counts. Never rejects but for a wrong
   * option; repeated calls share one promise.
   */
  async close(options: { readonly timeout?: number | undefined } = {}): Promise<void> {
    checkOptions('close()', options, ['timeout']);
    checkDelay('timeout', options.timeout);
    this.#closing ??= this.#close();
    if (options.timeout !== undefined) this.#limitClose(options.timeout);
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed ??= new PoolClosedError();
    this.#opener.close(this.#closed);
    await Promise.all(Array.from(this.#candidates, (member) => member.emptied()));
    this.#clock.clearTimeout(this.#closeTimer);
    for (const member of [...this.#candidates]) this.#remove(member, 'pool-closed');
  }

  #limitClose(timeout: number): void {
    const at = this.#clock.now() + timeout;
    if (at >= this.#closesAt || this.#candidates.size === 0) return;
    this.#closesAt = at;
    this.#clock.clearTimeout(this.#closeTimer);
    this.#closeTimer = this.#clock.setTimeout(() => this.destroy(), timeout);
  }

  /**
   * Now: every stream that the pool opened ends with `error` (default: PoolClosedError), every open that waits rejects with
   * PoolClosedError, and the sessions, which stay open, are let go.
   */
  destroy(error?: Error): void {
    const closed = new PoolClosedError('The pool was destroyed', error === undefined ? undefined : { cause: error });
    this.#closed = closed;
    this.#closing ??= Promise.resolve();
    this.#clock.clearTimeout(this.#closeTimer);
    this.#opener.close(closed);
    for (const member of [...this.#candidates]) {
      member.abandon(closed);
      member.reset(error ?? closed);
      this.#remove(member, 'pool-closed');
    }
  }

  /** `close({ timeout: 5000 })`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close({ timeout: DISPOSE_TIMEOUT });
  }

  /** @internal */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `SessionPool ${inspect(this.stats({ sessions: false }), options)}`;
  }

  #remove(member: Member, reason: RemovalReason): boolean {
    if (!member.remove()) return false;
    this.#candidates.delete(member);
    this.#recovery.update(member);
    this.#outliers?.removed(member);
    this.#chooser.removed(member);
    this.#candidates.freeOrdinal(member.ordinal);
    this.#hooks.sessionRemoved(member, reason, member.session.errored ?? undefined);
    if (!member.draining) this.#countLeft();
    return true;
  }

  /** Opens that a session has not settled at its end, as it should, are not left to wait for ever. */
  #ended(member: Member): void {
    this.#remove(member, 'closed');
    if (member.pendingStreams === 0) return;
    const error = new PoolError(
      'ERR_YAMUX_POOL_SESSION_CLOSED',
      `Session '${member.key}' has ended, and this open with it`,
    );
    setImmediate(() => member.abandon(error));
  }

  #countLeft(): void {
    const { minimum } = this.#settings;
    if (minimum === 0 || this.#closed !== undefined || this.#candidates.countLasting() >= minimum) return;
    this.#hooks.sessionNeeded(NO_ROUTING, 0, () => this.#candidates.countLasting());
  }

  #refByKey(key: string): SessionRef<Session> {
    const member = this.#candidates.get(key);
    if (member === undefined) throw new PoolError('ERR_YAMUX_POOL_UNKNOWN_SESSION', `No session has key '${key}'`);
    return this.#refOf(member);
  }

  #refOf(member: Member): SessionRef<Session> {
    return this.#refs.get(member) as SessionRef<Session>;
  }

  #freeKey(): string {
    for (let number = this.#added + 1; ; number += 1) {
      const key = `session-${number}`;
      if (this.#candidates.get(key) === undefined) return key;
    }
  }
}

const streamAlone = (_member: Member, stream: Duplex): Duplex => stream;
