// Options of a pool, of a session in it and of one open, with their defaults and checks in one place.
import {
  checkBoolean,
  checkCap,
  checkDelay,
  checkFunction,
  checkMethods,
  checkOptions,
  checkPercent,
  checkString,
  checkWhole,
} from './checks.ts';
import { createStrategy, type StrategyName } from './choosing/strategies/named.ts';
import type { Strategy } from './choosing/strategy.ts';
import { type Clock, systemClock } from './clock.ts';
import type { FailureClassifier } from './health/failure.ts';
import type { HealthRules } from './health/health.ts';
import type { OutlierOptions, OutlierRules } from './health/outliers.ts';
import type { SessionSettings } from './member/member-port.ts';
import { checkFacts } from './member/session-change.ts';
import { checkHooks, type PoolHooks } from './observe/hooks.ts';
import type { OpenSettings } from './open/opener.ts';

/** Of `new SessionPool()`. Times are in milliseconds. */
export interface PoolOptions {
  /**
   * Picks one of the sessions that may be picked.
   * @defaultValue 'round-robin'
   */
  readonly strategy?: Strategy | StrategyName | undefined;
  /**
   * How many sessions may fail one open, each asked at most once; 1 never tries another. A session that turns out to be full, or
   * retires (GoAway, closing, ids used up), costs nothing.
   * @defaultValue 2
   */
  readonly openAttempts?: number | undefined;
  /**
   * Milliseconds for each attempt, unless the open gives its own: a session that is slow to answer is then followed by another, and has
   * failed. Without it an attempt may take as long as the open.
   */
  readonly attemptTimeout?: number | undefined;
  /**
   * Whether an open waits where no session can serve it, unless it says so itself.
   * @defaultValue false
   */
  readonly wait?: boolean | undefined;
  /**
   * How many opens wait at a time; more are rejected at once, by NoAvailableSessionError.
   * @defaultValue 1000
   */
  readonly maxWaiting?: number | undefined;
  /**
   * Where fewer sessions are left that take new streams, `onSessionNeeded` is told, for an owner who dials.
   * @defaultValue 0
   */
  readonly minimum?: number | undefined;
  /**
   * Cap of active and pending streams per session, unless `add()` gives another.
   * @defaultValue Infinity
   */
  readonly maxActiveStreams?: number | undefined;
  /**
   * Failures in a row after which a session takes no streams until it has proved itself again; 0: no number does.
   * @defaultValue 3
   */
  readonly healthFailureThreshold?: number | undefined;
  /**
   * Milliseconds after which an unhealthy session is probed; doubled after each probe that fails, up to 5 min.
   * @defaultValue 30000
   */
  readonly healthProbeInterval?: number | undefined;
  /**
   * Milliseconds that a probe, a ping or an open, may take.
   * @defaultValue 10000
   */
  readonly probeTimeout?: number | undefined;
  /**
   * Decides which errors count against their session.
   * @defaultValue the rules of docs/explanation/balancing.md
   */
  readonly failureClassifier?: FailureClassifier | undefined;
  /**
   * Destroy a session that becomes unhealthy, so that its peer connects anew. Its streams end with
   * `ERR_YAMUX_POOL_SESSION_UNHEALTHY`.
   * @defaultValue false
   */
  readonly closeFailedSessions?: boolean | undefined;
  /**
   * Of all sessions, so many percent at most may be closed for that within one `healthProbeInterval`, and always one; the
   * others are probed as ever. So many at most are ejected as `outliers` at a time, too.
   * @defaultValue 100
   */
  readonly maxEjectionPercent?: number | undefined;
  /**
   * Eject sessions whose opens fail, or are answered, far worse than those of the others, for a while and at most `maxEjectionPercent` of
   * them at a time; true: by the defaults.
   * @defaultValue false
   */
  readonly outliers?: boolean | OutlierOptions | undefined;
  /**
   * Where fewer percent of the sessions that match are healthy, health is ignored: better a try than to send all to the few that are left.
   * 0: never.
   * @defaultValue 0
   */
  readonly panicThreshold?: number | undefined;
  /** What the pool tells its owner. */
  readonly hooks?: PoolHooks | undefined;
  /**
   * Where time comes from; for tests.
   * @defaultValue the system's
   */
  readonly clock?: Clock | undefined;
  /**
   * A source of chance, at least 0 and below 1; for tests.
   * @defaultValue Math.random
   */
  readonly random?: (() => number) | undefined;
}

/** Of `pool.add()`. */
export interface SessionOptions {
  /**
   * Unique among the sessions of the pool that have not ended.
   * @defaultValue generated
   */
  readonly key?: string | undefined;
  /**
   * The node that the session leads to; several sessions may share it.
   * @defaultValue the key
   */
  readonly id?: string | undefined;
  /** A name for people. */
  readonly label?: string | undefined;
  /**
   * Share of the load, for strategies that weigh: finite, at least 0.
   * @defaultValue 1
   */
  readonly weight?: number | undefined;
  /**
   * Cap of active and pending streams; `Infinity` for none.
   * @defaultValue the pool's
   */
  readonly maxActiveStreams?: number | undefined;
  /** What it serves: an open may ask for it by `requiredTags`. Copied. */
  readonly tags?: readonly string[] | undefined;
  /** Names and values by which an open may ask for this session. Copied. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Of `pool.open()` and `pool.openStream()`. */
export interface OpenOptions {
  /** Gives up: the open rejects with the signal's reason, and a stream that still comes is destroyed. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for the whole open, all attempts together. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /**
   * Wait until the peer has acknowledged the stream: one round trip, and a refusal is tried elsewhere. A
   * peer may never answer: give a timeout too.
   * @defaultValue false
   */
  readonly acknowledged?: boolean | undefined;
  /**
   * Milliseconds for each attempt; another session is tried after that.
   * @defaultValue the pool's
   */
  readonly attemptTimeout?: number | undefined;
  /**
   * Where no session matches, or none that matches takes a stream: wait in line until one does, for as long as `timeout` and `signal`
   * allow. First come, first served, among the opens that ask for the same.
   * @defaultValue the pool's
   */
  readonly wait?: boolean | undefined;
}

export interface PoolSettings {
  readonly strategy: Strategy;
  readonly openAttempts: number;
  readonly attemptTimeout: number | undefined;
  readonly wait: boolean;
  readonly maxWaiting: number;
  readonly minimum: number;
  readonly maxActiveStreams: number;
  readonly health: HealthRules;
  readonly failureClassifier: FailureClassifier | undefined;
  readonly closeFailedSessions: boolean;
  readonly maxEjectionPercent: number;
  readonly outliers: OutlierRules | undefined;
  readonly panicThreshold: number;
  readonly hooks: PoolHooks;
  readonly clock: Clock;
  readonly random: () => number;
}

const POOL_OPTIONS: readonly (keyof PoolOptions)[] = [
  'strategy',
  'openAttempts',
  'attemptTimeout',
  'wait',
  'maxWaiting',
  'minimum',
  'maxActiveStreams',
  'healthFailureThreshold',
  'healthProbeInterval',
  'probeTimeout',
  'failureClassifier',
  'closeFailedSessions',
  'maxEjectionPercent',
  'outliers',
  'panicThreshold',
  'hooks',
  'clock',
  'random',
];
const SESSION_OPTIONS: readonly (keyof SessionOptions)[] = [
  'key',
  'id',
  'label',
  'weight',
  'maxActiveStreams',
  'tags',
  'metadata',
];
const OPEN_OPTIONS: readonly (keyof OpenOptions)[] = ['signal', 'timeout', 'attemptTimeout', 'acknowledged', 'wait'];

export function poolSettings(options: PoolOptions): PoolSettings {
  checkOptions('a pool', options, POOL_OPTIONS);
  const {
    strategy = 'round-robin',
    openAttempts = 2,
    attemptTimeout,
    wait = false,
    maxWaiting = 1_000,
    minimum = 0,
    maxActiveStreams = Infinity,
    healthFailureThreshold = 3,
    healthProbeInterval = 30_000,
    probeTimeout = 10_000,
    failureClassifier,
    closeFailedSessions = false,
    maxEjectionPercent = 100,
    outliers = false,
    panicThreshold = 0,
    hooks = {},
    clock = systemClock,
    random = Math.random,
  } = options;
  checkWhole('openAttempts', openAttempts, 1);
  checkDelay('attemptTimeout', attemptTimeout);
  checkBoolean('wait', wait);
  checkWhole('maxWaiting', maxWaiting, 0);
  checkWhole('minimum', minimum, 0);
  checkCap(maxActiveStreams);
  checkWhole('healthFailureThreshold', healthFailureThreshold, 0);
  checkDelay('healthProbeInterval', healthProbeInterval);
  checkDelay('probeTimeout', probeTimeout);
  checkFunction('failureClassifier', failureClassifier);
  checkBoolean('closeFailedSessions', closeFailedSessions);
  checkPercent('maxEjectionPercent', maxEjectionPercent);
  checkPercent('panicThreshold', panicThreshold);
  checkHooks(hooks);
  checkMethods('clock', clock, ['now', 'setTimeout', 'clearTimeout']);
  checkFunction('random', random);
  return {
    strategy: typeof strategy === 'string' ? createStrategy(strategy) : strategy,
    openAttempts,
    attemptTimeout,
    wait,
    maxWaiting,
    minimum,
    maxActiveStreams,
    health: { threshold: healthFailureThreshold || Infinity, probeInterval: healthProbeInterval, probeTimeout },
    failureClassifier,
    closeFailedSessions,
    maxEjectionPercent,
    outliers: outlierRules(outliers, maxEjectionPercent),
    panicThreshold,
    hooks,
    clock,
    random,
  };
}

function outlierRules(given: boolean | OutlierOptions, maxEjectionPercent: number): OutlierRules | undefined {
  if (typeof given === 'boolean') return given ? outlierRules({}, maxEjectionPercent) : undefined;
  checkOptions('outliers', given, ['interval', 'minimumOpens', 'latencyFactor', 'ejectionTime']);
  const { interval = 10_000, minimumOpens = 50, latencyFactor = 3, ejectionTime = 30_000 } = given;
  checkDelay('interval', interval);
  checkWhole('minimumOpens', minimumOpens, 1);
  if (!(latencyFactor > 1)) throw new RangeError(`Expected latencyFactor to be above 1, got ${latencyFactor}`);
  checkDelay('ejectionTime', ejectionTime);
  return { interval, minimumOpens, latencyFactor, ejectionTime, maxEjectionPercent };
}

/** `freeKey` and `maxActiveStreamsOfPool` are what is fallen back to. */
export function sessionSettings(
  options: SessionOptions,
  freeKey: () => string,
  maxActiveStreamsOfPool: number,
): SessionSettings {
  checkOptions('a session', options, SESSION_OPTIONS);
  const {
    key: ownKey,
    id,
    label,
    weight = 1,
    maxActiveStreams = maxActiveStreamsOfPool,
    tags = [],
    metadata = {},
  } = options;
  checkString('key', ownKey);
  checkString('id', id);
  const facts = checkFacts({ label, weight, maxActiveStreams, tags, metadata });
  const key = ownKey || freeKey();
  return { key, id: id || key, facts };
}

/** @throws TypeError or RangeError. */
export function openSettings(options: OpenOptions, pool: Pick<PoolSettings, 'attemptTimeout' | 'wait'>): OpenSettings {
  checkOptions('an open', options, OPEN_OPTIONS);
  const { signal, timeout, attemptTimeout = pool.attemptTimeout, acknowledged = false, wait = pool.wait } = options;
  checkDelay('timeout', timeout);
  checkDelay('attemptTimeout', attemptTimeout);
  checkBoolean('acknowledged', acknowledged);
  checkBoolean('wait', wait);
  if (signal !== undefined)
    checkMethods('signal', signal, ['addEventListener', 'removeEventListener', 'throwIfAborted']);
  return { signal, timeout, attemptTimeout, acknowledged, wait };
}
