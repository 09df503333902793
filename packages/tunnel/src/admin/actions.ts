// What the admin port is asked to do to a session.
import { type SessionSnapshot, withSessionWeight } from '@zishuo/yamux-balancer';
import { TunnelError } from '../errors.ts';
import type { TunnelGateway } from '../gateway/tunnel-gateway.ts';
import type { Activity } from './activity.ts';

/**
 * Drains, resumes or re-weighs the session and returns how it is then.
 * @throws TunnelError; the pool's errors, for a key that it does not know and for a weight that is none.
 */
export function act(
  action: string,
  key: string,
  asked: Readonly<Record<string, unknown>>,
  gateway: TunnelGateway,
  activity: Activity,
): SessionSnapshot {
  const { pool } = gateway.routes;
  switch (action) {
    case 'drain': {
      const { reason = 'asked on the admin port' } = asked;
      if (typeof reason !== 'string') throw badRequest('reason', 'a text', reason);
      pool.drainSession(key, reason);
      break;
    }
    case 'resume':
      if (pool.updateSession(key).draining && !pool.resumeSession(key)) {
        throw new TunnelError('ERR_TUNNEL_CANNOT_RESUME', `${key} goes away: it takes no new request any more`);
      }
      break;
    case 'weight': {
      const { weight } = asked;
      // JSON has no Infinity, but 1e999 is one.
      if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0) {
        throw badRequest('weight', 'a number of at least 0', weight);
      }
      pool.updateSession(key, withSessionWeight(weight));
      activity.tell('weight', key, `weighs ${weight} now`);
      break;
    }
    default:
      throw new TunnelError('ERR_TUNNEL_ADMIN_NOT_FOUND', `expected drain, resume or weight, got "${action}"`);
  }
  return pool.updateSession(key); // no change: how it is
}

function badRequest(name: string, expected: string, got: unknown): TunnelError {
  return new TunnelError('ERR_TUNNEL_BAD_REQUEST', `expected ${name} to be ${expected}, got ${JSON.stringify(got)}`);
}
