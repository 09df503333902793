// The Yamux sessions of peer links: one carries the streams of many clients, so the limits are those of a trusted, busy peer. How often a client may
// abort is the public edge's matter.

import type { SessionOptions } from '@zishuo/yamux';
import type { Clock } from '@zishuo/yamux-balancer';

/** ms: a peer that stands still is known to within the sum. */
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
