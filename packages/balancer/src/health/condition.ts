// In what condition one session is: its health, and whether its peer has just refused a stream. It weighs what became of each attempt,
// and says what an unhealthy session needs next. Knows nothing of loads, drains or other sessions.
import type { Clock } from '../clock.ts';
import type { HealthCause } from '../observe/events.ts';
import type { SessionSnapshot } from '../observe/stats.ts';
import { type Classifier, type FailureOperation, isOfSession, isRefusal } from './failure.ts';
import { Health, type HealthRules } from './health.ts';

/** What a condition needs of its surroundings. */
export interface ConditionSettings {
  readonly clock: Clock;
  readonly health: HealthRules;
  readonly classifier: Classifier;
}

/** The session whose condition it is. */
export interface ConditionListener {
  snapshot(): SessionSnapshot;
  /** It may be picked now and could not before, or the other way round. */
  conditionChanged(): void;
  /** `reason` is for people; `error` is what made it unhealthy, if its own failures did. */
  healthChanged(cause: HealthCause, reason: string, error?: unknown): void;
}

/** The part of a snapshot that is about health. */
type HealthSnapshot = Pick<
  SessionSnapshot,
  'healthy' | 'ejectedFor' | 'probing' | 'consecutiveFailures' | 'lastError' | 'lastFailureAt' | 'nextProbeAt'
>;

/** A peer that refused a stream is left alone for so many milliseconds, unless one of its streams closes before. */
const REFUSAL_REST = 1_000;

export class Condition {
  readonly #settings: ConditionSettings;
  readonly #listener: ConditionListener;
  readonly #health: Health;
  #lastError: unknown;
  #lastFailureAt: number | undefined;
  #refusedUntil: number | undefined;
  #ejectedFor: string | undefined;

  constructor(settings: ConditionSettings, listener: ConditionListener) {
    this.#settings = settings;
    this.#listener = listener;
    this.#health = new Health(settings.health);
  }

  get healthy(): boolean {
    return this.#health.healthy;
  }

  /** Its rest is over, or a probe is under way. */
  get probing(): boolean {
    return this.#health.isProbing(this.#settings.clock.now());
  }

  /** Somebody asks for the operation of each error. */
  get isClassified(): boolean {
    return this.#settings.classifier.isCustom;
  }

  /** Its peer has refused a stream and is left alone for a while. */
  get refused(): boolean {
    return this.#refusedUntil !== undefined;
  }

  /** Time or a probe will change it. */
  get recovers(): boolean {
    return !this.healthy || this.refused;
  }

  /** Names the time in which an attempt begins; what comes of it is told with it. */
  get epoch(): number {
    return this.#health.epoch;
  }

  /** The peer has answered an attempt. */
  succeeded(epoch: number): void {
    // Of a healthy session no time matters, and a read of the clock for every stream would.
    const now = this.healthy ? 0 : this.#settings.clock.now();
    if (!this.#health.succeeded(epoch, now)) return;
    this.#ejectedFor = undefined;
    this.#listener.conditionChanged();
    this.#listener.healthChanged('recovered', 'its trial was answered');
  }

  /** Of an attempt whose stream does not say that its peer has answered: `hasReceived` tells whether anything came of it. */
  awaitBytes(epoch: number, hasReceived: () => boolean): void {
    this.#health.awaitBytes(epoch, hasReceived);
  }

  /** An attempt, or a stream that came of it, has ended with an error. */
  failed(epoch: number, operation: FailureOperation, error: unknown, byDefault: 'count' | 'ignore'): void {
    const counts = this.#settings.classifier.counts(operation, error, byDefault, () => this.#listener.snapshot());
    const now = this.#settings.clock.now();
    let turned = false;
    if (isRefusal(error)) {
      this.#refusedUntil = now + REFUSAL_REST;
      this.#health.refused(epoch, now);
    }
    if (counts && !this.#isCountedAlready(error)) {
      this.#lastError = error;
      this.#lastFailureAt = Math.round(now);
      turned = this.#health.failed(epoch, now);
    } else {
      this.#health.inconclusive(epoch, now);
    }
    this.#listener.conditionChanged();
    if (!turned) return;
    const { failures } = this.#health;
    const reason = `${failures} failure${failures === 1 ? '' : 's'} in a row, the last: ${describe(error)}`;
    this.#listener.healthChanged('failures', reason, error);
  }

  /** It does far worse than the others, and takes no streams for so long. */
  ejected(ms: number, reason: string): void {
    this.#ejectedFor = reason;
    this.#health.ejected(ms, this.#settings.clock.now());
    this.#listener.conditionChanged();
    this.#listener.healthChanged('outlier', reason);
  }

  /** An attempt was ended by its own user before anything could be known. */
  ended(epoch: number): void {
    if (this.healthy) return;
    if (this.#health.inconclusive(epoch, this.#settings.clock.now())) this.#listener.conditionChanged();
  }

  /** A peer that had enough streams has one less. */
  streamClosed(): void {
    this.#refusedUntil = undefined;
  }

  /** A session that dies takes all its streams with it, each with the same error or one that was caused by it. */
  #isCountedAlready(error: unknown): boolean {
    return isOfSession(error) && isOfSession(this.#lastError) && rootOf(error) === rootOf(this.#lastError);
  }

  /** Lets time have its effect on who may be picked. */
  wake(now: number): void {
    if (this.#refusedUntil !== undefined && now >= this.#refusedUntil) {
      this.#refusedUntil = undefined;
      this.#listener.conditionChanged();
    }
    if (this.#health.hasBytes) this.succeeded(this.#health.epoch);
  }

  /** Until then nothing changes by time alone. */
  get quietUntil(): number {
    return Math.min(this.#refusedUntil ?? Infinity, this.#health.quietUntil);
  }

  /** When time alone changes it next, later than `now`. */
  nextChange(now: number): number {
    const refusedUntil = this.#refusedUntil ?? Infinity;
    const { due } = this.#health;
    return Math.min(refusedUntil > now ? refusedUntil : Infinity, due > now ? due : Infinity);
  }

  /** An open may find out whether it is healthy again. */
  mayBeginTrial(now: number): boolean {
    return !this.refused && this.#health.mayBeginTrial(now);
  }

  /** It has answered a ping, and waits for its trial. */
  get proved(): boolean {
    return this.#health.proved;
  }

  /** Asks the peer whether it is there, unless it is being asked. */
  probe(ping: () => unknown, now: number): void {
    if (!this.#health.mayBePinged(now)) return;
    const epoch = this.#health.pinged(now);
    answerTo(ping).then(
      () => {
        this.#health.ponged(epoch, this.#settings.clock.now());
        this.#listener.conditionChanged();
      },
      () => void this.#health.failed(epoch, this.#settings.clock.now()),
    );
  }

  /** The attempt that begins next is its trial. */
  beginTrial(now: number): void {
    this.#health.beginTrial(now);
  }

  snapshot(): HealthSnapshot {
    const health = this.#health;
    const now = this.#settings.clock.now();
    return {
      healthy: health.healthy,
      probing: health.isProbing(now),
      consecutiveFailures: health.failures,
      ejectedFor: this.#ejectedFor,
      lastError: this.#lastError === undefined ? undefined : describe(this.#lastError),
      lastFailureAt: this.#lastFailureAt,
      nextProbeAt: rounded(health.nextProbeAt(now)),
    };
  }
}

/** What people see is whole milliseconds. */
function rounded(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms);
}

/** Causes may go round in a circle. */
const DEEPEST = 8;

function rootOf(error: unknown): unknown {
  let root = error;
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    const cause = (root as { readonly cause?: unknown } | null | undefined)?.cause ?? undefined;
    if (cause === undefined) break;
    root = cause;
  }
  return root;
}

/** For people. */
function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function answerTo(ping: () => unknown): Promise<void> {
  await ping();
}
