// One pooled session: its facts, its counters, its drain, its health, and the listeners on it. It tells its pool of every change
// that bears on who may be picked, and knows nothing of the other sessions or of strategies.

import { checkDelay, checkOneOf, checkOptions, checkString } from '../checks.ts';
import type { Place, Placed } from '../choosing/candidate-list.ts';
import type { Candidate } from '../choosing/strategy.ts';
import type { Unavailability } from '../errors.ts';
import { PoolError } from '../errors.ts';
import { Condition, type ConditionListener } from '../health/condition.ts';
import { retirementOf } from '../health/failure.ts';
import type { HealthCause } from '../observe/events.ts';
import type { SessionSnapshot } from '../observe/stats.ts';
import type { PoolableSession } from '../poolable-session.ts';
import { Drain, type DrainHandle, type DrainOptions } from './drain.ts';
import type { MemberPort, SessionSettings } from './member-port.ts';
import { applyChanges, type SessionChange, type SessionUpdate } from './session-change.ts';
import { Silence } from './silence.ts';
import { type Slot, Slots } from './slots.ts';

export class Member implements Candidate, Placed, ConditionListener {
  readonly session: PoolableSession;
  readonly ordinal: number;
  readonly key: string;
  readonly id: string;
  /** The facts that update() changes. */
  label: string | undefined;
  weight: number;
  maxActiveStreams: number;
  tags: ReadonlySet<string>;
  metadata: Readonly<Record<string, string>>;
  readonly addedAt: number;
  readonly places: Place[] = [];
  readonly #port: MemberPort;
  readonly condition: Condition;
  readonly #slots = new Slots();
  #turn: number;
  /** The number of `#slots`, in the member itself because candidates are compared by it. */
  #load = 0;
  #pending = 0;
  readonly #silence = new Silence();
  #readySince: number;
  #openAttempts = 0;
  #openFailures = 0;
  #drain: Drain | undefined;
  #takesNoMore = false;
  #removed = false;

  constructor(port: MemberPort, session: PoolableSession, settings: SessionSettings, ordinal: number, turn: number) {
    this.#port = port;
    this.condition = new Condition(port, this);
    this.session = session;
    this.ordinal = ordinal;
    this.key = settings.key;
    this.id = settings.id;
    this.label = settings.facts.label;
    this.weight = settings.facts.weight;
    this.maxActiveStreams = settings.facts.maxActiveStreams;
    this.tags = new Set(settings.facts.tags);
    this.metadata = settings.facts.metadata;
    this.#readySince = port.clock.now();
    this.addedAt = Math.round(this.#readySince);
    this.#turn = turn;
    session.on('close', this.#onClose);
    session.on('error', this.#onError);
    session.on('goAway', this.#onGoAway);
  }

  get turn(): number {
    return this.#turn;
  }

  get load(): number {
    return this.#load;
  }

  get pendingStreams(): number {
    return this.#pending;
  }

  get activeStreams(): number {
    return this.#load - this.#pending;
  }

  get rtt(): number | undefined {
    return this.session.rtt;
  }

  get stalledFor(): number | undefined {
    return this.session.stalledFor;
  }

  get silentSince(): number | undefined {
    return this.#port.isTimed ? this.#silence.since : undefined;
  }

  get readySince(): number {
    return this.#readySince;
  }

  get removed(): boolean {
    return this.#removed;
  }

  get draining(): boolean {
    return this.#drain !== undefined;
  }

  get full(): boolean {
    return this.#load >= this.maxActiveStreams || this.condition.refused;
  }

  /** Read from the session itself: while it dies, its streams' errors come before its own events, and callers retry on them. */
  get closed(): boolean {
    return this.session.state === 'closed';
  }

  get unavailable(): Unavailability | undefined {
    if (this.#removed || this.closed) return 'closed';
    if (this.draining) return 'draining';
    if (!this.condition.healthy) return 'unhealthy';
    return this.full ? 'full' : undefined;
  }

  /** Nothing but its health, if anything, keeps it from taking a stream. */
  get ready(): boolean {
    return !this.#removed && !this.closed && !this.draining && !this.full;
  }

  get healthy(): boolean {
    return this.condition.healthy;
  }

  get eligible(): boolean {
    return this.unavailable === undefined;
  }

  /** @throws RangeError or TypeError; then nothing has changed. */
  update(changes: readonly (SessionChange | SessionUpdate)[]): void {
    const before = this.tags;
    const facts = {
      label: this.label,
      weight: this.weight,
      maxActiveStreams: this.maxActiveStreams,
      tags: [...before],
      metadata: this.metadata,
    };
    const { label, weight, maxActiveStreams, tags, metadata } = applyChanges(facts, changes);
    this.label = label;
    this.weight = weight;
    this.maxActiveStreams = maxActiveStreams;
    this.metadata = metadata;
    const isTagged = tags.length !== before.size || tags.some((tag) => !before.has(tag));
    if (isTagged) this.tags = new Set(tags);
    if (this.#removed) return;
    if (isTagged) this.#port.retagged(this, before);
    this.#port.changed(this);
    this.#port.updated(this);
  }

  /** Takes over what still runs on the session from when it was in the pool before. */
  adopt(before: Member): void {
    for (const slot of before.#slots.toArray()) {
      before.#slots.delete(slot);
      this.#slots.add(slot);
      slot.move(this);
    }
    this.#load = before.#load;
    this.#pending = before.#pending;
    before.#load = 0;
    before.#pending = 0;
  }

  /** Takes a slot for one attempt. Returns the time, if anybody wants to know how long its answer takes. */
  begin(slot: Slot, turn: number): number {
    const now = this.#now;
    this.#silence.begin(now);
    this.#slots.add(slot);
    this.#load += 1;
    this.#pending += 1;
    this.#openAttempts += 1;
    this.#turn = turn;
    this.#port.changed(this);
    return now;
  }

  /** The peer has answered an attempt that began then. */
  answered(startedAt: number): void {
    const now = this.#now;
    this.#silence.answered(now);
    if (this.#port.isTimed && !this.#removed) this.#port.answered(this, now - startedAt);
  }

  /** An attempt that began then has ended without an answer. */
  unanswered(startedAt: number): void {
    const now = this.#now;
    const silence = this.#silence.unanswered(now);
    if (this.#port.isTimed && !this.#removed) this.#port.unanswered(this, Math.max(now - startedAt, silence));
  }

  /** 0 where nobody wants to know how long answers take. */
  get #now(): number {
    return this.#port.isTimed ? this.#port.clock.now() : 0;
  }

  /** The attempt has its stream: the slot is the stream's, until it is fully closed. */
  opened(): void {
    this.#pending -= 1;
  }

  /** The session has refused: no stream, no slot. */
  refused(slot: Slot): void {
    this.#pending -= 1;
    this.#free(slot);
  }

  /** The slot's stream is fully closed. */
  release(slot: Slot): void {
    this.condition.streamClosed();
    this.#free(slot);
  }

  #free(slot: Slot): void {
    this.#slots.delete(slot);
    this.#load -= 1;
    if (this.#load === 0) this.#drain?.settle('drained', 0);
    this.#port.changed(this);
  }

  /** An attempt has come to nothing. */
  openFailed(epoch: number, error: unknown, byDefault: 'count' | 'ignore', isFault: boolean): void {
    this.#openFailures += 1;
    if (isFault) this.#port.faulted(this);
    const retirement = retirementOf(error);
    if (retirement !== undefined) this.retire(retirement);
    this.condition.failed(epoch, 'open-stream', error, byDefault);
  }

  conditionChanged(): void {
    this.#port.changed(this);
  }

  healthChanged(cause: HealthCause, reason: string, error?: unknown): void {
    if (this.#removed) return;
    if (cause === 'recovered') {
      this.#readySince = this.#port.clock.now();
      this.#port.updated(this);
    }
    this.#port.hooks.healthChanged(this, cause, reason);
    if (cause === 'failures') this.#port.failed(this, reason, error);
  }

  /** It does far worse than the others. */
  eject(ms: number, reason: string): void {
    if (!this.#removed) this.condition.ejected(ms, reason);
  }

  /** It is unhealthy, nothing else keeps it from taking a stream, and an open may find out whether it still is. */
  mayBeginTrial(now: number): boolean {
    return this.unavailable === 'unhealthy' && !this.full && this.condition.mayBeginTrial(now);
  }

  /** Whether a probe other than an open is possible. */
  get canPing(): boolean {
    return this.session.ping !== undefined;
  }

  ping(now: number): void {
    this.condition.probe(() => this.session.ping?.(), now);
  }

  /** Whether time or a probe may change who may be picked. */
  get recovers(): boolean {
    return !this.#removed && this.condition.recovers;
  }

  drain(options: DrainOptions): DrainHandle {
    checkOptions('a drain', options, ['reason', 'timeout', 'onTimeout']);
    const { reason, timeout, onTimeout = 'keep' } = options;
    checkString('reason', reason);
    checkDelay('timeout', timeout);
    checkOneOf('onTimeout', onTimeout, ['keep', 'reset', 'close']);
    if (onTimeout === 'close' && this.session.close === undefined && this.session.destroy === undefined) {
      throw new TypeError("Expected a session with close() or destroy() for onTimeout: 'close', got neither");
    }
    const before = this.#drain;
    // A drain that ended at its time limit, with streams left, is waited for anew.
    const drain =
      before?.settled === false
        ? before
        : new Drain(this.#port.clock, before?.startedAt ?? Math.round(this.#port.clock.now()), before?.reason);
    if (reason !== undefined) drain.reason = reason;
    if (this.#removed) {
      drain.settle('removed', this.#load);
      return drain;
    }
    const begins = this.#drain === undefined;
    this.#drain = drain;
    if (this.#load === 0) drain.settle('drained', 0);
    else if (timeout !== undefined) drain.limit(timeout, () => this.#drainTimedOut(drain, timeout, onTimeout));
    this.#port.changed(this);
    if (begins) {
      this.#port.hooks.drained(this, true);
      this.#port.drains();
    }
    return drain;
  }

  #drainTimedOut(drain: Drain, timeout: number, onTimeout: 'keep' | 'reset' | 'close'): void {
    drain.settle('timeout', this.#load);
    if (onTimeout === 'keep') return;
    const why = drain.reason === undefined ? '' : ` (${drain.reason})`;
    const error = new PoolError('ERR_YAMUX_POOL_DRAIN_TIMEOUT', `Not drained within ${timeout} ms${why}`);
    this.abandon(error);
    this.reset(error);
    if (onTimeout === 'close') void end(this.session);
  }

  /** False if it did not drain, or cannot take streams again because its peer or its protocol forbids it. */
  resume(): boolean {
    const drain = this.#drain;
    if (drain === undefined || this.#takesNoMore || this.#removed) return false;
    this.#drain = undefined;
    drain.settle('resumed', this.#load);
    this.#port.changed(this);
    this.#port.hooks.drained(this, false);
    return true;
  }

  /** The session goes on with what it has and never opens another stream. */
  retire(reason: string): void {
    this.#takesNoMore = true;
    this.drain(this.#drain === undefined ? { reason } : {});
  }

  /** Every open that waits here rejects with `error`. */
  abandon(error: Error): void {
    for (const slot of this.#slots.toArray()) slot.abandon(error);
  }

  /** Every stream that the pool opened here ends with `error`. */
  reset(error: Error): void {
    for (const slot of this.#slots.toArray()) slot.reset(error);
  }

  /** Resolves when it has no stream left, or has left the pool, whatever its own drains say meanwhile. */
  async emptied(): Promise<void> {
    do await this.drain({}).done;
    while (this.load > 0 && !this.removed);
  }

  /** Out of the pool: the session is its owner's alone; live streams go on and are still counted down. */
  remove(): boolean {
    if (this.#removed) return false;
    this.#removed = true;
    this.session.off('close', this.#onClose);
    this.session.off('error', this.#onError);
    this.session.off('goAway', this.#onGoAway);
    this.#drain?.settle('removed', this.#load);
    return true;
  }

  snapshot(): SessionSnapshot {
    return {
      key: this.key,
      id: this.id,
      label: this.label,
      weight: this.weight,
      maxActiveStreams: this.maxActiveStreams,
      tags: [...this.tags],
      metadata: this.metadata,
      activeStreams: this.activeStreams,
      pendingStreams: this.pendingStreams,
      available: this.eligible,
      full: this.full,
      ...this.condition.snapshot(),
      draining: this.draining,
      drainReason: this.#drain?.reason,
      drainStartedAt: this.#drain?.startedAt,
      openAttempts: this.#openAttempts,
      openFailures: this.#openFailures,
      addedAt: this.addedAt,
      rtt: this.rtt,
    };
  }

  readonly #onClose = (): void => this.#port.ended(this);
  // Without a listener an EventEmitter throws. What matters, its end, is told by 'close'.
  readonly #onError = (): void => {};
  readonly #onGoAway = (): void => this.retire('go-away');
}

/** How it ends is told by the session's own events. */
async function end(session: PoolableSession): Promise<void> {
  try {
    if (session.close === undefined) session.destroy?.();
    else await session.close();
  } catch {}
}
