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
import { Attempt } from './attempt.ts';
import { type Limits, OpenLimit } from './open-limit.ts';
import { Picker } from './picker.ts';
import { WaitingLine } from './waiting-line.ts';

export interface OpenSettings extends Limits {
  readonly acknowledged: boolean;
  readonly wait: boolean;
}

export interface Opened {
  readonly member: Member;
  readonly stream: Duplex;
}

interface OpenerSettings {
  readonly openAttempts: number;
  readonly maxWaiting: number;
  readonly clock: Clock;
  readonly hooks: Hooks;
  readonly chooser: Chooser;
  readonly candidates: Candidates<Member>;
  readonly recovery: Recovery<Member>;
}

/** One open on its way. */
class Opening {
  readonly routing: RoutingContext;
  readonly constraints: Constraints;
  readonly isAcknowledged: boolean;
  readonly limit: OpenLimit | undefined;
  /** Each session is asked once, until the open has waited. */
  excluded: Member[] = [];
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
    isAcknowledged: boolean,
    limit: OpenLimit | undefined,
  ) {
    this.routing = routing;
    this.constraints = constraints;
    this.isAcknowledged = isAcknowledged;
    this.limit = limit;
  }
}

export class Opener {
  /** Sessions that were asked, since the pool was made. */
  attempts = 0;
  /** Of these, those that gave no stream. */
  failures = 0;
  readonly #settings: OpenerSettings;
  readonly #picker: Picker;
  readonly #line: WaitingLine<Opening, Attempt>;
  #turns = 0;
  #closed: PoolClosedError | undefined;

  constructor(settings: OpenerSettings) {
    const { candidates, recovery, chooser, clock } = settings;
    this.#settings = settings;
    this.#picker = new Picker(candidates, recovery, chooser, clock);
    this.#line = new WaitingLine<Opening, Attempt>({
      clock,
      serve: (opening) => this.#begin(opening),
      nextChange: () => recovery.nextChange(clock.now()),
    });
  }

  /** Opens that wait for a session. */
  get waiting(): number {
    return this.#line.size;
  }

  async open(routing: RoutingContext, constraints: Constraints, settings: OpenSettings): Promise<Opened> {
    const { signal, timeout, attemptTimeout } = settings;
    signal?.throwIfAborted();
    const { clock, hooks, chooser } = this.#settings;
    const startedAt = clock.now();
    const isLimited = signal !== undefined || timeout !== undefined || attemptTimeout !== undefined;
    const limit = isLimited ? new OpenLimit(clock, settings) : undefined;
    const opening = new Opening(routing, constraints, settings.acknowledged, limit);
    try {
      for (;;) {
        const attempt = this.#take(opening) ?? (await this.#wait(opening, settings.wait));
        let stream: Duplex;
        try {
          stream = await attempt.stream;
        } catch (error) {
          this.#failed(opening, attempt, error);
          continue;
        }
        const { member } = attempt;
        chooser.opened(member, routing);
        limit?.lift();
        hooks.opened(member, stream, opening.attempts, startedAt);
        return { member, stream };
      }
    } catch (error) {
      limit?.lift();
      hooks.openFailed(opening.last, opening.attempts, startedAt, error, limit?.reached?.by === 'abort');
      throw error;
    }
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

  #take(opening: Opening): Attempt | undefined {
    if (this.#closed !== undefined) throw this.#closed;
    if (this.#line.size > 0) {
      // Nobody overtakes those who wait, not even at the moment at which time brings a session back.
      this.#picker.wake();
      this.#line.serve();
    }
    return this.#begin(opening);
  }

  #begin(opening: Opening): Attempt | undefined {
    const { routing, constraints, isAcknowledged, limit, last } = opening;
    const member = this.#picker.pick(routing, constraints, opening.excluded);
    if (member === undefined) return undefined;
    // Nothing may come between pick and reservation: that is what makes caps and loads exact in a burst.
    this.#turns += 1;
    this.attempts += 1;
    opening.attempts += 1;
    opening.last = member;
    const attempt = new Attempt(member, this.#turns, isAcknowledged, limit?.nextSignal());
    limit?.watchAttempt(attempt);
    if (last !== undefined) this.#settings.hooks.retried(member, last, opening.attempts, opening.failure);
    return attempt;
  }

  /** Returns if another session may be tried. */
  #failed(opening: Opening, attempt: Attempt, error: unknown): void {
    const { limit, routing } = opening;
    const { member, epoch } = attempt;
    const reached = limit?.reached;
    opening.excluded.push(member);
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
  #wait(opening: Opening, mayWait: boolean): Promise<Attempt> {
    const { constraints, limit, routing } = opening;
    const line = this.#line;
    if (opening.faults > 0 || (opening.attempts > 0 && !mayWait)) throw opening.failure;
    if (!mayWait) throw this.#unserved(constraints);
    if (line.size >= this.#settings.maxWaiting) throw this.#unserved(constraints, line.size);
    // What was full may have room when its turn comes.
    opening.excluded = [];
    opening.ticket ??= line.nextTicket();
    const kind = kindOf(constraints);
    const served = line.join(opening, kind, opening.ticket, (place) => limit?.watch(place));
    const waiting = line.sizeOf(kind);
    if (waiting === 1) this.#needed(routing, waiting);
    return served;
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

const NONE = { closed: 0, draining: 0, unhealthy: 0, full: 0 };
