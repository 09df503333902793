// The options of a session and of its methods: their names, defaults and checks, in one place.

import { type Clock, MAX_DELAY, systemClock } from '../clock.ts';
import { WindowBudget } from '../stream/window-budget.ts';
import { INITIAL_WINDOW, MAX_UINT32 } from '../wire/constants.ts';

/** Options of `client()` and `server()`. Sizes in bytes, times in milliseconds. Nothing is silently clamped. */
export interface SessionOptions {
  /**
   * Inbound streams that nobody has accepted yet; a SYN past it is refused with RST. 0 refuses every inbound stream.
   * @defaultValue 256
   */
  readonly acceptBacklog?: number | undefined;
  /**
   * Streams opened by us that the peer has not answered; further open() calls wait in order. hashicorp/yamux and go-yamux refuse the
   * 257th.
   * @defaultValue 256
   */
  readonly maxUnacknowledged?: number | undefined;
  /**
   * Inbound streams alive at once; a SYN past it is refused with RST.
   * @defaultValue 1000
   */
  readonly maxInboundStreams?: number | undefined;
  /**
   * Bytes to which the receive window of a stream may grow, at least 262,144. A stream carries at most one window per round trip, and the
   * window follows twice what the path holds: the stream's speed times the round trip.
   * @defaultValue 16777216
   */
  readonly maxStreamWindow?: number | undefined;
  /**
   * Bytes by which the windows of all streams together may grow beyond their first 256 KiB: a number for this session alone, or one
   * {@link WindowBudget} for several.
   * @defaultValue 67108864
   */
  readonly windowBudget?: number | WindowBudget | undefined;
  /**
   * Bytes of payload in one Data frame that we send, 1024 to 65,524: a WebSocket message of 64 KiB holds the largest frame.
   * @defaultValue 32768
   */
  readonly maxFramePayload?: number | undefined;
  /**
   * ms between pings, under traffic too; 0 sends none: a dead peer is then never noticed while nothing is written, and windows do not grow
   * before a `ping()` of yours.
   * @defaultValue 30000
   */
  readonly keepAliveInterval?: number | undefined;
  /**
   * ms that a ping may stay unanswered; the session ends only if no byte at all arrived meanwhile. 0 waits without end.
   * @defaultValue 10000
   */
  readonly keepAliveTimeout?: number | undefined;
  /**
   * ms that the transport may take nothing while something waits; 0 turns it off. Unused over a transport that has a numeric
   * `writeTimeout` of its own.
   * @defaultValue 30000
   */
  readonly writeTimeout?: number | undefined;
  /**
   * ms after which a half-closed stream on which no byte moved is reset; 0 turns it off.
   * @defaultValue 300000
   */
  readonly halfCloseTimeout?: number | undefined;
  /**
   * Streams that the peer may open and reset in one go before we have written anything on them; after that 200 a second, and new ones
   * past it are refused while the session lives.
   * @defaultValue 1000
   */
  readonly resetBurst?: number | undefined;
  /**
   * Where time comes from; for tests.
   * @defaultValue the system's
   */
  readonly clock?: Clock | undefined;
}

export interface ResolvedOptions {
  readonly acceptBacklog: number;
  readonly maxUnacknowledged: number;
  readonly maxInboundStreams: number;
  readonly maxStreamWindow: number;
  readonly windowBudget: WindowBudget;
  readonly maxFramePayload: number;
  readonly keepAliveInterval: number;
  readonly keepAliveTimeout: number;
  readonly writeTimeout: number;
  readonly halfCloseTimeout: number;
  readonly resetBurst: number;
  readonly clock: Clock;
}

/** Of `session.close()`. */
export interface CloseOptions {
  /** ms that live streams may take to end; then they are reset. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /** Destroys the session when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Of the methods that may wait. */
export interface WaitOptions {
  /** Takes the call back when it aborts: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_WINDOW_BUDGET = 67_108_864;

/**
 * @throws {TypeError} for an unknown option, or one of the wrong type.
 * @throws {RangeError} for a number out of its range.
 */
export function resolveOptions(options: SessionOptions = {}): ResolvedOptions {
  const { clock = systemClock, windowBudget = DEFAULT_WINDOW_BUDGET, ...numbers } = options;
  const resolved: Record<string, number> = {};
  for (const [name, { byDefault, min, max }] of Object.entries(NUMBERS)) {
    const given = (numbers as Record<string, unknown>)[name];
    resolved[name] = given === undefined ? byDefault : check(name, given, min, max);
  }
  for (const name of Object.keys(numbers)) {
    if (!Object.hasOwn(NUMBERS, name)) {
      throw new TypeError(`Unknown session option '${name}'; expected one of ${KNOWN.join(', ')}`);
    }
  }
  return {
    ...(resolved as unknown as Omit<ResolvedOptions, 'clock' | 'windowBudget'>),
    windowBudget: budgetOf(windowBudget),
    clock,
  };
}

interface NumberOption {
  readonly byDefault: number;
  readonly min: number;
  readonly max: number;
}

const NUMBERS: Readonly<Record<Exclude<keyof ResolvedOptions, 'clock' | 'windowBudget'>, NumberOption>> = {
  acceptBacklog: { byDefault: 256, min: 0, max: Number.POSITIVE_INFINITY },
  maxUnacknowledged: { byDefault: 256, min: 1, max: Number.POSITIVE_INFINITY },
  maxInboundStreams: { byDefault: 1000, min: 0, max: Number.POSITIVE_INFINITY },
  maxStreamWindow: { byDefault: 16_777_216, min: INITIAL_WINDOW, max: MAX_UINT32 },
  maxFramePayload: { byDefault: 32_768, min: 1024, max: 65_524 },
  keepAliveInterval: { byDefault: 30_000, min: 0, max: MAX_DELAY },
  keepAliveTimeout: { byDefault: 10_000, min: 0, max: MAX_DELAY },
  writeTimeout: { byDefault: 30_000, min: 0, max: MAX_DELAY },
  halfCloseTimeout: { byDefault: 300_000, min: 0, max: MAX_DELAY },
  resetBurst: { byDefault: 1000, min: 1, max: Number.POSITIVE_INFINITY },
};

const KNOWN = [...Object.keys(NUMBERS), 'windowBudget', 'clock'];

function budgetOf(budget: unknown): WindowBudget {
  if (typeof budget === 'number') return new WindowBudget(budget);
  // By its shape: the budget may come from another copy of this package.
  const { take, giveBack } = (budget ?? {}) as Partial<WindowBudget>;
  if (typeof take === 'function' && typeof giveBack === 'function') return budget as WindowBudget;
  throw new TypeError(`Expected windowBudget to be a number or a WindowBudget, got ${describe(budget)}`);
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function check(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw new TypeError(`Expected ${name} to be a number, got ${describe(value)}`);
  const isWhole = Number.isInteger(value) || value === max;
  if (!isWhole || value < min || value > max) {
    throw new RangeError(`Expected ${name} to be a whole number from ${min} to ${max}, got ${value}`);
  }
  return value;
}
