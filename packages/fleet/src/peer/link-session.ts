// The options of the Yamux sessions of peer links. One session carries the streams of many clients, so the limits are those of a trusted, busy peer. The
// public edge limits the aborts of a client.

import type { SessionOptions } from '@zishuo/yamux';
import type { Clock } from '@zishuo/yamux-balancer';

/** ms. A stopped peer is detected within the sum of both. */
const KEEP_ALIVE_INTERVAL = 2_000;
const KEEP_ALIVE_TIMEOUT = 3_000;

export function linkOptions(clock: Clock): SessionOptions {
  return {
    clock,
    keepAliveInterval: KEEP_ALIVE_INTERVAL,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    maxInboundStreams: 100_000,
    acceptBacklog: 4_096,
    maxUnacknowledged: 4_096,
    resetBurst: Number.POSITIVE_INFINITY,
  };
}
