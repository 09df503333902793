// The pool: it puts together candidates, strategy and attempts, and keeps the counts true. How sessions come to be, and
// what their streams carry, is not its matter.
import type { Duplex } from 'node:stream';
import { type InspectOptions, inspect } from 'node:util';
import { checkDelay, checkMethods, checkOptions } from './checks.ts';
import { Candidates } from './choosing/candidates.ts';
import { Chooser } from './choosing/chooser.ts';
import type { StrategyContext } from './choosing/strategy.ts';
import type { Clock } from './clock.ts';
import {
  DuplicateSessionError,
  NoAvailableSessionError,
  NoMatchingSessionError,
  PoolClosedError,
  PoolError,
} from './errors.ts';
import { EjectionLimit } from './health/ejection-limit.ts';
import { Classifier, defaultDecision } from './health/failure.ts';
import { Recovery } from './health/recovery.ts';
import type { DrainHandle, DrainOptions } from './member/drain.ts';
import { Member, type MemberPort } from './member/member.ts';
import type { SessionChange } from './member/session-change.ts';
import { SessionRef } from './member/session-ref.ts';
import type { RemovalReason } from './observe/events.ts';
import { explain, type SessionExplanation } from './observe/explain.ts';
import { Hooks } from './observe/hooks.ts';
import { countSessions, type PoolStats, type PoolTotals, type SessionSnapshot } from './observe/stats.ts';
import { Attempt } from './open/attempt.ts';
import { OpenLimit } from './open/open-limit.ts';
import { Picker } from './open/picker.ts';
import {
  checkOpenOptions,
  type OpenOptions,
  type PoolOptions,
  poolSettings,
  type SessionOptions,
  sessionSettings,
} from './options.ts';
import type { PoolableSession } from './poolable-session.ts';
import { type Constraints, constraintsOf, describeConstraints, type RoutingContext } from './routing.ts';

/** A stream and the session that serves it. */
export interface OpenedStream {
  /** The session's own. */
  readonly stream: Duplex;
  /** The handle that `add()` returned for the session. */
  readonly session: SessionRef;
}

/** New sessions come before all that have been picked, in order of adding. */
const FIRST_TURN = Number.MIN_SAFE_INTEGER;
const NO_ROUTING: RoutingContext = Object.freeze({});
const DISPOSE_TIMEOUT = 5_000;

/**
 * Opens each stream on the right one of many sessions, and counts exactly. Sessions come in by {@link add}, streams go out by
 * {@link open}; everything else is for looking at it, or for changing who serves.
 */
export class SessionPool {
  readonly #chooser: Chooser;
  readonly #hooks: Hooks;
  readonly #recovery = new Recovery<Member>();
  /** Undefined unless failed sessions are closed. */
  readonly #ejections: EjectionLimit | undefined;
  readonly #openAttempts: number;
  readonly #maxActiveStreams: number;
  readonly #clock: Clock;
  readonly #candidates: Candidates<Member>;
  readonly #picker: Picker;
  readonly #memberPort: MemberPort;
  readonly #members = new WeakMap<PoolableSession, Member>();
  readonly #refs = new WeakMap<Member, SessionRef>();
  #added = 0;
  #turns = 0;
  #attempts = 0;
  #failures = 0;
  #closed: PoolClosedError | undefined;
  #closing: Promise<void> | undefined;

  /**
   * An empty pool: sessions join by `add()`.
   * @throws RangeError or TypeError for a wrong option, InvalidStrategyError (`ERR_YAMUX_POOL_INVALID_STRATEGY`) for a
   * strategy that is none, has no such name, or belongs to another pool.
   */
  constructor(options: PoolOptions = {}) {
    const settings = poolSettings(options);
    this.#openAttempts = settings.openAttempts;
    this.#maxActiveStreams = settings.maxActiveStreams;
    this.#clock = settings.clock;
    const hooks = new Hooks(settings.hooks, this, this.#clock);
    this.#hooks = hooks;
    const strategyContext: StrategyContext = {
      now: () => this.#clock.now(),
      random: settings.random,
      bound: (event) => hooks.affinityBound(event),
      evicted: (event) => hooks.affinityEvicted(event),
    };
    this.#chooser = new Chooser(settings.strategy, strategyContext, hooks);
    this.#candidates = new Candidates(this.#chooser.order);
    this.#picker = new Picker(this.#candidates, this.#recovery, this.#chooser, this.#clock);
    if (settings.closeFailedSessions) {
      this.#ejections = new EjectionLimit(settings.maxEjectionPercent, settings.health.probeInterval);
    }
    this.#memberPort = {
      clock: this.#clock,
      health: settings.health,
      classifier: new Classifier(settings.failureClassifier, hooks),
      hooks,
      changed: (member) => {
        this.#candidates.update(member);
        this.#recovery.update(member);
      },
      updated: (member) => this.#chooser.updated(member),
      ended: (member) => this.#remove(member, 'closed'),
      failed: (member, reason, error) => this.#eject(member, reason, error),
    };
  }

  /**
   * Takes a session in. It leaves by itself when it closes; its `'error'` is listened to and never throws; a GoAway of its
   * peer drains it. The session stays its owner's: the pool never ends it unless a drain asks for that.
   * @throws PoolClosedError (`ERR_YAMUX_POOL_CLOSED`), DuplicateSessionError (`ERR_YAMUX_POOL_DUPLICATE_SESSION`), PoolError
   * (`ERR_YAMUX_POOL_SESSION_CLOSED`) if the session has ended; RangeError or TypeError for a wrong option.
   */
  add(session: PoolableSession, options: SessionOptions = {}): SessionRef {
    if (this.#closed !== undefined) throw this.#closed;
    checkMethods('session', session, ['open', 'on', 'off']);
    const settings = sessionSettings(options, () => this.#freeKey(), this.#maxActiveStreams);
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
    const ref = new SessionRef(member, () => this.#remove(member, 'removed'));
    this.#members.set(session, member);
    this.#refs.set(member, ref);
    this.#candidates.add(member);
    this.#chooser.added(member);
    this.#hooks.sessionAdded(member);
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
  async open(routing?: RoutingContext, options?: OpenOptions): Promise<Duplex> {
    return (await this.openStream(routing, options)).stream;
  }

  /** As {@link open}, and tells which session serves the stream. */
  async openStream(routing?: RoutingContext, options: OpenOptions = {}): Promise<OpenedStream> {
    checkOpenOptions(options);
    const { signal, timeout, acknowledged = false } = options;
    const constraints = constraintsOf(routing);
    // A copy: what the strategy is asked with is what it is told the outcome of, whatever the caller makes of its object meanwhile.
    const asked = routing === undefined ? NO_ROUTING : { ...routing };
    signal?.throwIfAborted();
    const startedAt = this.#clock.now();
    const isLimited = signal !== undefined || timeout !== undefined;
    const limit = isLimited ? new OpenLimit(this.#clock, signal, timeout) : undefined;
    const failedOn: Member[] = [];
    try {
      const { member, stream } = await this.#open(asked, constraints, acknowledged, limit, failedOn);
      limit?.lift();
      this.#hooks.opened(member, stream, failedOn.length + 1, startedAt);
      return { stream, session: this.#refs.get(member) as SessionRef };
    } catch (error) {
      limit?.lift();
      this.#hooks.openFailed(failedOn.at(-1), failedOn.length, startedAt, error, limit?.reached?.by === 'abort');
      throw error;
    }
  }

  /** `failedOn` is filled with the sessions that failed. */
  async #open(
    routing: RoutingContext,
    constraints: Constraints,
    acknowledged: boolean,
    limit: OpenLimit | undefined,
    failedOn: Member[],
  ): Promise<{ readonly member: Member; readonly stream: Duplex }> {
    let failure: unknown;
    for (;;) {
      if (this.#closed !== undefined) throw this.#closed;
      const member = this.#picker.pick(routing, constraints, failedOn);
      if (member === undefined) throw failedOn.length > 0 ? failure : this.#unserved(constraints);
      // Nothing may come between pick and reservation: that is what makes caps and loads exact in a burst.
      this.#turns += 1;
      this.#attempts += 1;
      const attempt = new Attempt(member, this.#turns, acknowledged, limit?.signal);
      limit?.watch(attempt);
      const failed = failedOn.at(-1);
      if (failed !== undefined) this.#hooks.retried(member, failed, failedOn.length + 1, failure);
      try {
        const stream = await attempt.stream;
        this.#chooser.opened(member, routing);
        return { member, stream };
      } catch (error) {
        const reached = limit?.reached;
        failedOn.push(member);
        this.#chooser.failed(member, routing);
        if (reached?.by === 'abort') {
          member.condition.failed(attempt.epoch, 'open-stream', reached.error, 'ignore');
          throw reached.error;
        }
        if (error instanceof PoolClosedError && this.#closing !== undefined) throw error;
        this.#failures += 1;
        member.openFailed(attempt.epoch, error, defaultDecision('open-stream', error));
        if (reached !== undefined) throw reached.error;
        if (failedOn.length >= this.#openAttempts) throw error;
        failure = error;
      }
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

  #unserved(constraints: Constraints): NoMatchingSessionError {
    const counts = this.#candidates.unavailable(constraints);
    if (counts !== undefined) return new NoAvailableSessionError(counts);
    const asked = describeConstraints(constraints);
    return new NoMatchingSessionError(asked === '' ? 'The pool is empty' : `No session of the pool has ${asked}`);
  }

  /** The sessions of the pool, in order of adding. */
  sessions(): SessionRef[] {
    return Array.from(this.#candidates, (member) => this.#refs.get(member) as SessionRef);
  }

  /**
   * {@link SessionRef.drain} by key.
   * @throws PoolError (`ERR_YAMUX_POOL_UNKNOWN_SESSION`)
   */
  drainSession(key: string, options?: string | DrainOptions): DrainHandle {
    return this.#refOf(key).drain(options);
  }

  /**
   * {@link SessionRef.resume} by key.
   * @throws PoolError (`ERR_YAMUX_POOL_UNKNOWN_SESSION`)
   */
  resumeSession(key: string): boolean {
    return this.#refOf(key).resume();
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
  updateSession(key: string, ...changes: readonly SessionChange[]): SessionSnapshot {
    return this.#refOf(key).update(...changes);
  }

  /**
   * For each session, in order of adding: whether an open with this routing may go there now, and why not. It takes no turn, no
   * slot and no binding, and starts no probe.
   * @throws TypeError if the routing is not of the documented shape.
   */
  explain(routing: RoutingContext = NO_ROUTING): SessionExplanation[] {
    const constraints = constraintsOf(routing);
    this.#recovery.wake(this.#clock.now());
    return explain(this.#candidates, constraints, this.#chooser.boundTo(routing), this.#clock);
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
      openAttempts: this.#attempts,
      openFailures: this.#failures,
      affinity,
    };
    return sessions ? { ...totals, sessions: Array.from(this.#candidates, (member) => member.snapshot()) } : totals;
  }

  /**
   * Refuses new opens and sessions, waits until every stream that the pool opened on its sessions is closed, and lets go of
   * the sessions, which stay open. After `timeout` milliseconds (default: none) the streams that are left end with
   * `ERR_YAMUX_POOL_CLOSED`. Never rejects but for a wrong `timeout`; repeated calls share one promise.
   */
  async close(options: { readonly timeout?: number | undefined } = {}): Promise<void> {
    checkOptions('close()', options, ['timeout']);
    const { timeout } = options;
    checkDelay('timeout', timeout);
    this.#closing ??= this.#close(timeout);
    await this.#closing;
  }

  async #close(timeout: number | undefined): Promise<void> {
    this.#closed ??= new PoolClosedError();
    const timer = timeout === undefined ? undefined : this.#clock.setTimeout(() => this.destroy(), timeout);
    await Promise.all(Array.from(this.#candidates, emptied));
    this.#clock.clearTimeout(timer);
    for (const member of [...this.#candidates]) this.#remove(member, 'pool-closed');
  }

  /**
   * Now: every stream that the pool opened ends with `error` (default: PoolClosedError), every open that waits rejects with
   * PoolClosedError, and the sessions, which stay open, are let go.
   */
  destroy(error?: Error): void {
    const closed = new PoolClosedError('The pool was destroyed', error === undefined ? undefined : { cause: error });
    this.#closed = closed;
    this.#closing ??= Promise.resolve();
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
    this.#chooser.removed(member);
    this.#candidates.freeOrdinal(member.ordinal);
    this.#hooks.sessionRemoved(member, reason, member.session.errored ?? undefined);
    return true;
  }

  #refOf(key: string): SessionRef {
    const member = this.#candidates.get(key);
    if (member === undefined) throw new PoolError('ERR_YAMUX_POOL_UNKNOWN_SESSION', `No session has key '${key}'`);
    return this.#refs.get(member) as SessionRef;
  }

  #freeKey(): string {
    for (let number = this.#added + 1; ; number += 1) {
      const key = `session-${number}`;
      if (this.#candidates.get(key) === undefined) return key;
    }
  }
}

/** Resolves when the member has no stream left, or has left the pool, whatever its own drains say meanwhile. */
async function emptied(member: Member): Promise<void> {
  do await member.drain({}).done;
  while (member.load > 0 && !member.removed);
}
