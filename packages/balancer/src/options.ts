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
import type { SessionSettings } from './member/member.ts';
import { checkFacts } from './member/session-change.ts';
import { checkHooks, type PoolHooks } from './observe/hooks.ts';

/** Of `new SessionPool()`. Times are in milliseconds. */
export interface PoolOptions {
  /**
   * Who is picked among the sessions that may be.
   * @defaultValue 'round-robin'
   */
  readonly strategy?: Strategy | StrategyName | undefined;
  /**
   * How many sessions one open tries, each at most once; 1 never tries another.
   * @defaultValue 2
   */
  readonly openAttempts?: number | undefined;
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
   * others are probed as ever.
   * @defaultValue 100
   */
  readonly maxEjectionPercent?: number | undefined;
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
   * Unique in the pool.
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
}

export interface PoolSettings {
  readonly strategy: Strategy;
  readonly openAttempts: number;
  readonly maxActiveStreams: number;
  readonly health: HealthRules;
  readonly failureClassifier: FailureClassifier | undefined;
  readonly closeFailedSessions: boolean;
  readonly maxEjectionPercent: number;
  readonly hooks: PoolHooks;
  readonly clock: Clock;
  readonly random: () => number;
}

const POOL_OPTIONS: readonly (keyof PoolOptions)[] = [
  'strategy',
  'openAttempts',
  'maxActiveStreams',
  'healthFailureThreshold',
  'healthProbeInterval',
  'probeTimeout',
  'failureClassifier',
  'closeFailedSessions',
  'maxEjectionPercent',
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
  'metadata',
];
const OPEN_OPTIONS: readonly (keyof OpenOptions)[] = ['signal', 'timeout', 'acknowledged'];

export function poolSettings(options: PoolOptions): PoolSettings {
  checkOptions('a pool', options, POOL_OPTIONS);
  const {
    strategy = 'round-robin',
    openAttempts = 2,
    maxActiveStreams = Infinity,
    healthFailureThreshold = 3,
    healthProbeInterval = 30_000,
    probeTimeout = 10_000,
    failureClassifier,
    closeFailedSessions = false,
    maxEjectionPercent = 100,
    hooks = {},
    clock = systemClock,
    random = Math.random,
  } = options;
  checkWhole('openAttempts', openAttempts, 1);
  checkCap(maxActiveStreams);
  checkWhole('healthFailureThreshold', healthFailureThreshold, 0);
  checkDelay('healthProbeInterval', healthProbeInterval);
  checkDelay('probeTimeout', probeTimeout);
  checkFunction('failureClassifier', failureClassifier);
  checkBoolean('closeFailedSessions', closeFailedSessions);
  checkPercent('maxEjectionPercent', maxEjectionPercent);
  checkHooks(hooks);
  checkMethods('clock', clock, ['now', 'setTimeout', 'clearTimeout']);
  checkFunction('random', random);
  return {
    strategy: typeof strategy === 'string' ? createStrategy(strategy) : strategy,
    openAttempts,
    maxActiveStreams,
    health: { threshold: healthFailureThreshold || Infinity, probeInterval: healthProbeInterval, probeTimeout },
    failureClassifier,
    closeFailedSessions,
    maxEjectionPercent,
    hooks,
    clock,
    random,
  };
}

/** `freeKey` and `maxActiveStreamsOfPool` are what is fallen back to. */
export function sessionSettings(
  options: SessionOptions,
  freeKey: () => string,
  maxActiveStreamsOfPool: number,
): SessionSettings {
  checkOptions('a session', options, SESSION_OPTIONS);
  const { key: ownKey, id, label, weight = 1, maxActiveStreams = maxActiveStreamsOfPool, metadata = {} } = options;
  checkString('key', ownKey);
  checkString('id', id);
  const facts = checkFacts({ label, weight, maxActiveStreams, metadata });
  const key = ownKey || freeKey();
  return { key, id: id || key, facts };
}

/** @throws TypeError or RangeError. */
export function checkOpenOptions(options: OpenOptions): void {
  checkOptions('an open', options, OPEN_OPTIONS);
  checkDelay('timeout', options.timeout);
}
