// The way of an open: pick, attempt, another attempt, or a place in the line until somebody can serve it. It keeps the counts of all opens. How
// sessions come and go is the pool's matter.
import type { Duplex } from 'node:stream';
import type { Candidates } from '../choosing/candidates.ts';
import type { Chooser } from '../choosing/chooser.ts';
import type { Clock } from '../clock.ts';
import { NoAvailableSessionError, NoMatchingSessionError, PoolClosedError } from '../errors.ts';
import { defaultDecision, isFault } from '../health/failure.ts';
import type { Recovery } from '../health/recovery.ts';
import type { Member } from '../member/member.ts';
import type { Hooks } from '../observe/hooks.ts';
import { type Constraints, describeConstraints, kindOf, matches, type RoutingContext } from '../routing.ts';
import { Attempt, type AttemptListener } from './attempt.ts';
import { AttemptSignals } from './attempt-signals.ts';
import { type Limits, OpenLimit } from './open-limit.ts';
import { Picker } from './picker.ts';
import { WaitingLine } from './waiting-line.ts';

export interface OpenSettings extends Limits {
  readonly acknowledged: boolean;
  readonly wait: boolean;
}

/** What an open resolves with. */
type ResultOf<Result> = (member: Member, stream: Duplex) => Result;

interface OpenerSettings {
  readonly openAttempts: number;
  readonly maxWaiting: number;
  readonly clock: Clock;
  readonly hooks: Hooks;
  readonly chooser: Chooser;
  readonly candidates: Candidates<Member>;
  readonly recovery: Recovery<Member>;
}

const NOBODY: readonly Member[] = [];

/** One open on its way. */
class Opening {
  readonly routing: RoutingContext;
  readonly constraints: Constraints;
  readonly settings: OpenSettings;
  readonly startedAt: number;
  readonly limit: OpenLimit | undefined;
  readonly resultOf: ResultOf<unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  /** Each session is asked once, until the open has waited. */
  excluded: readonly Member[] = NOBODY;
  /** How many sessions were asked. */
  attempts = 0;
  /** How many of them were at fault: a session that retires or is full costs no attempt. */
  faults = 0;
  last: Member | undefined;
  failure: unknown;
  /** Its place in the line, kept if it has to wait again. */
  ticket: number | undefined;

  constructor(
    routing: RoutingContext,
    constraints: Constraints,
    settings: OpenSettings,
    startedAt: number,
    limit: OpenLimit | undefined,
    resultOf: ResultOf<unknown>,
    resolve: (result: never) => void,
    reject: (error: unknown) => void,
  ) {
    this.routing = routing;
    this.constraints = constraints;
    this.settings = settings;
    this.startedAt = startedAt;
    this.limit = limit;
    this.resultOf = resultOf;
    this.resolve = resolve;
    this.reject = reject;
  }
}

export class Opener {
  /** Sessions that were asked, since the pool was made. */
  attempts = 0;
  /** Of these, those that gave no stream. */
  failures = 0;
  readonly #settings: OpenerSettings;
  readonly #picker: Picker;
  readonly #line: WaitingLine<Opening>;
  readonly #attemptListener: AttemptListener<Opening>;
  readonly #signals = new AttemptSignals();
  #turns = 0;
  #closed: PoolClosedError | undefined;

  constructor(settings: OpenerSettings) {
    const { candidates, recovery, chooser, clock } = settings;
    this.#settings = settings;
    this.#picker = new Picker(candidates, recovery, chooser, clock);
    // What ends an open is still at work when it is told: the open goes on in a microtask, after that.
    this.#line = new WaitingLine<Opening>({
      clock,
      serve: (opening) => this.#begin(opening),
      rejected: (opening, error) => queueMicrotask(() => this.#reject(opening, error)),
      nextChange: () => recovery.nextChange(clock.now()),
    });
    this.#attemptListener = {
      opened: (opening, attempt, stream) => this.#opened(opening, attempt, stream),
      failed: (opening, attempt, error) => queueMicrotask(() => this.#retry(opening, attempt, error)),
    };
  }

  /** Opens that wait for a session. */
  get waiting(): number {
    return this.#line.size;
  }

  /** One promise from the call to its end: an open costs little more than its session's own. */
  open<Result>(
    routing: RoutingContext,
    constraints: Constraints,
    settings: OpenSettings,
    resultOf: ResultOf<Result>,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      settings.signal?.throwIfAborted();
      const { clock } = this.#settings;
      const startedAt = clock.now();
      const limit = isLimited(settings) ? new OpenLimit(clock, this.#signals, settings) : undefined;
      this.#go(new Opening(routing, constraints, settings, startedAt, limit, resultOf, resolve, reject));
    });
  }

  #go(opening: Opening): void {
    try {
      if (!this.#take(opening)) this.#wait(opening);
    } catch (error) {
      this.#reject(opening, error);
    }
  }

  #opened(opening: Opening, { member }: Attempt<Opening>, stream: Duplex): void {
    const { routing, limit, attempts, startedAt } = opening;
    this.#settings.chooser.opened(member, routing);
    limit?.lift();
    this.#settings.hooks.opened(member, stream, attempts, startedAt);
    opening.resolve(opening.resultOf(member, stream) as never);
  }

  #retry(opening: Opening, attempt: Attempt<Opening>, failure: unknown): void {
    try {
      this.#failed(opening, attempt, failure);
    } catch (error) {
      this.#reject(opening, error);
      return;
    }
    this.#go(opening);
  }

  #reject(opening: Opening, error: unknown): void {
    const { limit, last, attempts, startedAt } = opening;
    limit?.lift();
    this.#settings.hooks.openFailed(last, attempts, startedAt, error, limit?.reached?.by === 'abort');
    opening.reject(error);
  }

  /** A session may serve that could not before, or an open asks for something else than it did. */
  wake(): void {
    this.#line.wake();
  }

  /** A session has joined: where it is not enough for those who wait for its like, their owner hears of it again. */
  joined(member: Member): void {
    if (this.#line.size === 0) return;
    this.#line.wake();
    // After the microtask that serves them, and not here: the hook may add a session, and so on.
    queueMicrotask(() => {
      for (const { open, waiting } of this.#line.heads) {
        if (matches(member, open.constraints)) this.#needed(open.routing, waiting);
      }
    });
  }

  /** No more opens; those that wait for a session reject with `error`, those that a session has in hand go on. */
  close(error: PoolClosedError): void {
    this.#closed = error;
    this.#line.rejectAll(error);
  }

  /** False if no session can serve it now. */
  #take(opening: Opening): boolean {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#line.size > 0) {
      // Nobody overtakes those who wait, not even at the moment at which time brings a session back.
      this.#picker.wake();
      this.#line.serve();
    }
    return this.#begin(opening);
  }

  #begin(opening: Opening): boolean {
    const { routing, constraints, settings, limit, last, excluded } = opening;
    const member = this.#picker.pick(routing, constraints, excluded);
    if (member === undefined) return false;
    // Nothing may come between pick and reservation: that is what makes caps and loads exact in a burst.
    this.#turns += 1;
    this.attempts += 1;
    opening.attempts += 1;
    opening.last = member;
    const signal = limit?.nextSignal();
    const { acknowledged } = settings;
    const attempt = new Attempt(this.#attemptListener, opening, member, this.#turns, acknowledged, signal);
    limit?.watchAttempt(attempt);
    if (last !== undefined) this.#settings.hooks.retried(member, last, opening.attempts, opening.failure);
    return true;
  }

  /** Returns if another session may be tried. */
  #failed(opening: Opening, attempt: Attempt<Opening>, error: unknown): void {
    const { limit, routing } = opening;
    const { member, epoch } = attempt;
    const reached = limit?.reached;
    opening.excluded = [...opening.excluded, member];
    const isFaulty = reached?.by !== 'abort' && !(error instanceof PoolClosedError) && isFault(error);
    this.#settings.chooser.failed(member, routing, isFaulty);
    if (reached?.by === 'abort') {
      member.condition.failed(epoch, 'open-stream', reached.error, 'ignore');
      throw reached.error;
    }
    if (error instanceof PoolClosedError && this.#closed !== undefined) throw error;
    this.failures += 1;
    member.openFailed(epoch, error, defaultDecision('open-stream', error), isFaulty);
    if (reached !== undefined) throw reached.error;
    if (isFaulty) opening.faults += 1;
    if (opening.faults >= this.#settings.openAttempts) throw error;
    opening.failure = error;
  }

  /** A place in the line, for an open that no session can serve now. */
  #wait(opening: Opening): void {
    const { constraints, limit, routing, settings } = opening;
    const line = this.#line;
    if (opening.faults > 0 || (opening.attempts > 0 && !settings.wait)) throw opening.failure;
    if (!settings.wait) throw this.#unserved(constraints);
    if (line.size >= this.#settings.maxWaiting) throw this.#unserved(constraints, line.size);
    // What was full may have room when its turn comes.
    opening.excluded = NOBODY;
    opening.ticket ??= line.nextTicket();
    const kind = kindOf(constraints);
    const place = line.join(opening, kind, opening.ticket);
    limit?.watch(place);
    const waiting = line.sizeOf(kind);
    if (waiting === 1) this.#needed(routing, waiting);
  }

  #needed(routing: RoutingContext, waiting: number): void {
    const { hooks, candidates } = this.#settings;
    hooks.sessionNeeded(routing, waiting, () => candidates.countLasting());
  }

  #unserved(constraints: Constraints, waiting = 0): NoMatchingSessionError {
    const counts = this.#settings.candidates.unavailable(constraints);
    if (counts !== undefined || waiting > 0) return new NoAvailableSessionError(counts ?? NONE, waiting);
    const asked = describeConstraints(constraints);
    return new NoMatchingSessionError(asked === '' ? 'The pool is empty' : `No session of the pool has ${asked}`);
  }
}

function isLimited({ signal, timeout, attemptTimeout }: Limits): boolean {
  return signal !== undefined || timeout !== undefined || attemptTimeout !== undefined;
}

const NONE = { closed: 0, draining: 0, unhealthy: 0, full: 0 };
