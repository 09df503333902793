import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../src/clock.ts';

test('a timer of the system clock does not keep the process alive', () => {
  const timer = systemClock.setTimeout(() => {}, 1000);
  expect((timer as NodeJS.Timeout).hasRef()).toBe(false);
  systemClock.clearTimeout(timer);
});

describe('the system clock', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('tells milliseconds that only go forward, whatever happens to the date', () => {
    const before = systemClock.now();
    vi.advanceTimersByTime(1500);
    vi.setSystemTime(0);
    expect(systemClock.now() - before).toBe(1500);
  });

  test('calls back once, after the given milliseconds', () => {
    const callback = vi.fn();
    systemClock.setTimeout(callback, 20);
    vi.advanceTimersByTime(19);
    expect(callback).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('calls a timer off; one that there never was is no matter', () => {
    const callback = vi.fn();
    systemClock.clearTimeout(systemClock.setTimeout(callback, 20));
    systemClock.clearTimeout(undefined);
    vi.advanceTimersByTime(1000);
    expect(callback).not.toHaveBeenCalled();
  });
});
