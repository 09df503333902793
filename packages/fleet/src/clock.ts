// Where time comes from, so that tests decide when it passes. The shape is that of the balancer's clock.
import type { Clock } from '@zishuo/yamux-balancer';

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms).unref(),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
