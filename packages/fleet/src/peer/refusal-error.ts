// Converts the refusal of another node into the error for the caller: the same kind of error as at that node, where there is one.
import { NoAvailableSessionError, type UnavailableCounts } from '@zishuo/yamux-balancer';
import { FleetError } from '../errors.ts';
import type { Answer } from './head.ts';

const CODES = {
  'not-here': 'ERR_YAMUX_FLEET_NOT_HERE',
  gone: 'ERR_YAMUX_FLEET_GONE',
  refused: 'ERR_YAMUX_FLEET_REFUSED',
} as const;

export function refusalError({ status, refusal }: Exclude<Answer, { status: 'accepted' }>, node: string): Error {
  const { code, message, counts } = refusal;
  if (code === 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION') return new NoAvailableSessionError(countsOf(counts ?? {}));
  const cause = Object.assign(new Error(message), { code });
  return new FleetError(CODES[status], `Node '${node}' did not take the stream: ${message}`, { refused: true, cause });
}

function countsOf({
  closed = 0,
  draining = 0,
  unhealthy = 0,
  full = 0,
}: Readonly<Record<string, number>>): UnavailableCounts {
  return { closed: Number(closed), draining: Number(draining), unhealthy: Number(unhealthy), full: Number(full) };
}
