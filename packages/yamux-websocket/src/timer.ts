// A timer that keeps no process alive. In workerd and in browsers a timer is a number, and has no unref().

export type Timer = ReturnType<typeof setTimeout>;

export function startTimer(callback: () => void, ms: number): Timer {
  const timer = setTimeout(callback, ms);
  (timer as Partial<NodeJS.Timeout>).unref?.();
  return timer;
}
