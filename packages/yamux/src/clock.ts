// The source of time. Nothing else in this package asks the system for the time, so tests can use a manual clock.

/** The source of a session's time. Tests pass their own clock. */
export interface Clock {
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** Calls `callback` once after `ms` milliseconds. The timer must not keep the process alive. */
  setTimeout(callback: () => void, ms: number): unknown;
  /** Cancels a timer; takes the value that `setTimeout` returned. */
  clearTimeout(timer: unknown): void;
}

/** The system's time: monotonic, and its timers keep no process alive. */
export const systemClock: Clock = {
  /** Since the process began. */
  now: () => performance.now(),
  /** The runtime's setTimeout(), with a timer that does not keep the process alive. */
  setTimeout: startTimer,
  /** Accepts any timer, and undefined. */
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** In workerd and in browsers a timer is a number, and keeps no process alive. */
function startTimer(callback: () => void, ms: number): unknown {
  const timer: Partial<NodeJS.Timeout> = setTimeout(callback, ms);
  timer.unref?.();
  return timer;
}

/** ms: the longest delay that Node's timers take. A longer one would fire at once. */
export const MAX_DELAY = 2_147_483_647;

/** @throws {RangeError} unless `ms` is a delay that a timer can take; 0 is one. */
export function checkDelay(name: string, ms: number): void {
  if (ms >= 0 && ms <= MAX_DELAY) return;
  throw new RangeError(`Expected ${name} to be a number of milliseconds from 0 to ${MAX_DELAY}, got ${ms}`);
}

/**
 * Returns the delay as Node would use it: one above the limit of its timers is reduced to the limit, with a process warning.
 *
 * @throws {TypeError} if it is not a number.
 * @throws {RangeError} if it is negative or not finite.
 */
export function timerDelay(name: string, ms: number): number {
  if (typeof ms !== 'number') throw new TypeError(`Expected ${name} to be a number of milliseconds, got ${typeof ms}`);
  if (!Number.isFinite(ms) || ms < 0) {
    throw new RangeError(`Expected ${name} to be a finite number of milliseconds of at least 0, got ${ms}`);
  }
  if (ms <= MAX_DELAY) return ms;
  process.emitWarning(`${ms} ms do not fit into a timer: cut to ${MAX_DELAY}`, 'TimeoutOverflowWarning');
  return MAX_DELAY;
}
