// The options of a session and of its methods: their names, defaults and checks, in one place.

import { type Clock, MAX_DELAY, systemClock } from '../clock.ts';
import { ifSecondsWereMeant } from '../errors.ts';
import { nearestName } from '../nearest-name.ts';
import { WindowBudget } from '../stream/window-budget.ts';
import { INITIAL_WINDOW, MAX_UINT32 } from '../wire/constants.ts';

/** Options of `client()` and `server()`. Sizes in bytes, times in milliseconds. A value out of range throws. */
export interface SessionOptions {
  /**
   * The limit of inbound streams that the application has not accepted yet; further SYNs are refused with RST. 0 refuses every inbound stream.
   * @defaultValue 256
   */
  readonly acceptBacklog?: number | undefined;
  /**
   * The limit of our streams that the peer has not answered; further open() calls wait in order. hashicorp/yamux and go-yamux refuse the
   * 257th.
   * @defaultValue 256
   */
  readonly maxUnacknowledged?: number | undefined;
  /**
   * The limit of live inbound streams, including streams that the peer has ended and whose input is not read to its end; further SYNs are
   * refused with RST.
   * @defaultValue 1000
   */
  readonly maxInboundStreams?: number | undefined;
  /**
   * Bytes to which the receive window of a stream may grow, at least 262,144. A stream carries at most one window per round trip. The window
   * grows to twice the capacity of the path: the stream's speed times the round trip.
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
   * When written data is sent: at the end of the `'tick'`, or of the `'turn'` of the event loop. With `'turn'`, streams that are served at the same
   * time share system calls and messages, but data that is written just before `destroy()` of the session may be lost.
   * @defaultValue 'tick'
   */
  readonly flushAt?: 'tick' | 'turn' | undefined;
  /**
   * ms between pings, at least 100, also under traffic. 0 sends none: then a dead peer is not noticed while nothing is written, and windows do not
   * grow before a call of `ping()`.
   * @defaultValue 30000
   */
  readonly keepAliveInterval?: number | undefined;
  /**
   * ms that a ping may stay unanswered, from when the transport has taken it. The session ends only if no byte moved in either direction
   * meanwhile. The time is extended by as much, at most five times, for each 64 KiB sent since the last pong, because on a slow link these
   * bytes may be in buffers ahead of the ping. 0 waits for ever.
   * @defaultValue 10000
   */
  readonly keepAliveTimeout?: number | undefined;
  /**
   * ms that the transport may take nothing while data waits; extended by as much for each 128 KiB that other code wrote to it before. 0
   * turns the limit off. Not used over a transport that has a numeric `writeTimeout` itself.
   * @defaultValue 30000
   */
  readonly writeTimeout?: number | undefined;
  /**
   * ms without a byte in either direction after which a stream is reset that this side has ended. The same limit applies to unread input for
   * which a write waits, after FIN and then RST of the peer. 0 turns both off.
   * @defaultValue 300000
   */
  readonly halfCloseTimeout?: number | undefined;
  /**
   * Whether a stream stays writable after the peer has ended its side. `false` ends this side automatically, as net.Socket does by default.
   * `open()` and `connect()` can set it for their stream.
   * @defaultValue true
   */
  readonly allowHalfOpen?: boolean | undefined;
  /**
   * The number of streams that the peer may open and reset at once before this side has written anything on them; then 200 a second. New
   * streams above the limit are refused; the session continues.
   * @defaultValue 1000
   */
  readonly resetBurst?: number | undefined;
  /**
   * The clock, for tests.
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
  readonly flushAt: 'tick' | 'turn';
  readonly keepAliveInterval: number;
  readonly keepAliveTimeout: number;
  readonly writeTimeout: number;
  readonly halfCloseTimeout: number;
  readonly allowHalfOpen: boolean;
  readonly resetBurst: number;
  readonly clock: Clock;
}

/** Options of `session.close()`. */
export interface CloseOptions {
  /** ms that live streams may take to end; then they are reset. No limit by default. */
  readonly timeout?: number | undefined;
  /** Destroys the session if the signal aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of the methods that may wait. */
export interface WaitOptions {
  /** Cancels the call when it aborts: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `session.open()` and `session.connect()`. */
export interface OpenOptions extends WaitOptions {
  /** The session option of the same name, for this stream. */
  readonly allowHalfOpen?: boolean | undefined;
}

const DEFAULT_WINDOW_BUDGET = 67_108_864;

/** The known options of each method. */
const OPEN_OPTIONS: readonly string[] = ['signal', 'allowHalfOpen'];
export const WAIT_OPTIONS: readonly string[] = ['signal'];
export const CLOSE_OPTIONS: readonly string[] = ['timeout', 'signal'];

/**
 * @throws {TypeError} for an unknown option, or one of the wrong type.
 * @throws {RangeError} for a number out of its range.
 */
export function resolveOptions(options: SessionOptions = {}, of = 'the session'): ResolvedOptions {
  checkOptions(of, options, KNOWN);
  const {
    clock = systemClock,
    windowBudget = DEFAULT_WINDOW_BUDGET,
    allowHalfOpen = true,
    flushAt = 'tick',
    ...numbers
  } = options;
  checkOpenOptions(of, { allowHalfOpen });
  if (!['tick', 'turn'].includes(flushAt)) {
    throw new TypeError(`Expected flushAt to be 'tick' or 'turn', got ${String(flushAt)}`);
  }
  const resolved: Record<string, number> = {};
  for (const [name, { byDefault, min, max }] of Object.entries(NUMBERS)) {
    const given = (numbers as Record<string, unknown>)[name];
    resolved[name] = given === undefined ? byDefault : check(name, given, min, max);
  }
  checkKeepAlive(resolved.keepAliveInterval as number);
  return {
    ...(resolved as unknown as Omit<ResolvedOptions, 'clock' | 'windowBudget' | 'allowHalfOpen' | 'flushAt'>),
    windowBudget: budgetOf(windowBudget),
    allowHalfOpen,
    flushAt,
    clock,
  };
}

/**
 * Checks options of a session before there is a transport to give them to, as `client()` and `server()` do with theirs.
 *
 * @param of whose options they are, for the message.
 * @throws {TypeError} for an unknown option, or one of the wrong type.
 * @throws {RangeError} for a number out of its range.
 */
export function checkSessionOptions(options: SessionOptions | undefined, of?: string): void {
  resolveOptions(options, of);
}

/** @throws {TypeError} for an unknown option of `open()` or `connect()`, or one of the wrong type. */
export function checkOpenOptions(of: string, options: OpenOptions): void {
  checkOptions(of, options, OPEN_OPTIONS);
  const { allowHalfOpen = true } = options;
  if (typeof allowHalfOpen !== 'boolean') {
    throw new TypeError(`Expected allowHalfOpen to be true or false, got ${describe(allowHalfOpen)}`);
  }
}

/** @throws {TypeError} unless `options`, given to the function `of`, is an object with names of `known` only, and its signal, if any, an AbortSignal. */
export function checkOptions(of: string, options: unknown, known: readonly string[]): void {
  if (typeof options === 'function') {
    throw new TypeError(
      `Expected the options of ${of} to be an object, got a function; listen with .on('stream', …) instead`,
    );
  }
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`Expected the options of ${of} to be an object, got ${describe(options)}`);
  }
  for (const name in options) {
    if (!known.includes(name)) throw new TypeError(`Unknown option '${name}' of ${of}${suggestion(name, known)}`);
  }
  const { signal } = options as WaitOptions;
  if (signal !== undefined && !isSignal(signal)) {
    throw new TypeError(
      `Expected the signal of ${of} to be an AbortSignal (an AbortController has it in .signal), got ${describe(signal)}`,
    );
  }
}

/** Checked by its shape, because it may come from another realm or a library. */
function isSignal(value: unknown): boolean {
  const { aborted, addEventListener, removeEventListener } = (value ?? {}) as Partial<AbortSignal>;
  return (
    typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  );
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest
    ? `; did you mean '${nearest}'?`
    : `; expected ${known.length > 1 ? 'one of ' : ''}${known.join(', ')}`;
}

interface NumberOption {
  readonly byDefault: number;
  readonly min: number;
  readonly max: number;
}

const NUMBERS: Readonly<
  Record<Exclude<keyof ResolvedOptions, 'clock' | 'windowBudget' | 'allowHalfOpen' | 'flushAt'>, NumberOption>
> = {
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

const KNOWN = [...Object.keys(NUMBERS), 'windowBudget', 'allowHalfOpen', 'flushAt', 'clock'];

/** ms. Less is too often for any link, and probably means seconds. */
const LEAST_KEEP_ALIVE = 100;

function checkKeepAlive(interval: number): void {
  if (interval === 0 || interval >= LEAST_KEEP_ALIVE) return;
  const expected = `0 or a whole number of milliseconds from ${LEAST_KEEP_ALIVE} to ${MAX_DELAY}`;
  throw new RangeError(`Expected keepAliveInterval to be ${expected}, got ${interval}${ifSecondsWereMeant(interval)}`);
}

function budgetOf(budget: unknown): WindowBudget {
  if (typeof budget === 'number') return new WindowBudget(budget);
  // By its shape: the budget may come from another copy of this package.
  const { take, giveBack } = (budget ?? {}) as Partial<WindowBudget>;
  if (typeof take === 'function' && typeof giveBack === 'function') return budget as WindowBudget;
  throw new TypeError(`Expected windowBudget to be a number or a WindowBudget, got ${describe(budget)}`);
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  return value === null ? 'null' : typeof value;
}

function check(name: string, value: unknown, min: number, max: number): number {
  const unit = max === MAX_DELAY ? ' of milliseconds' : '';
  if (typeof value !== 'number') throw new TypeError(`Expected ${name} to be a number${unit}, got ${describe(value)}`);
  const isWhole = Number.isInteger(value) || value === max;
  if (!isWhole || value < min || value > max) {
    throw new RangeError(`Expected ${name} to be a whole number${unit} from ${min} to ${max}, got ${value}`);
  }
  return value;
}
