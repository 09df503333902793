// Where time comes from, so that tests decide when it passes.

/** Time, as a pool has it; a test brings its own (`ManualClock` of `/testing`). */
export interface Clock {
  /** Milliseconds since the epoch, with fractions, and never going backwards. */
  now(): number;
  /** Calls `callback` once after `ms` milliseconds. The timer must not keep the process alive. */
  setTimeout(callback: () => void, ms: number): unknown;
  /** Takes back what `setTimeout` returned. */
  clearTimeout(timer: unknown): void;
}

/** Read once: it never changes, and asking for it is slow. */
const ORIGIN = performance.timeOrigin;

/** The system's time: it never goes backwards, and its timers keep no process alive. */
export const systemClock: Clock = {
  /** Not rounded: answers within one data centre take less than a millisecond. */
  now: () => ORIGIN + performance.now(),
  /** That of the runtime; where timers keep a process alive, this one does not. */
  setTimeout: startTimer,
  /** Of any timer, or of none. */
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** In workerd and in browsers a timer is a number, and keeps no process alive. */
function startTimer(callback: () => void, ms: number): unknown {
  const timer: Partial<NodeJS.Timeout> = setTimeout(callback, ms);
  timer.unref?.();
  return timer;
}
