// The actions of the admin port: on a session, and on all sessions of an agent or a tenant.
import { type SessionSnapshot, withSessionWeight } from '@zishuo/yamux-balancer';
import { TunnelError } from '../errors.ts';
import type { TunnelGateway } from '../gateway/tunnel-gateway.ts';
import type { Activity } from './activity.ts';

/**
 * Ends all sessions of an agent or a tenant, revokes it, or ends the revocation. Returns the number of ended sessions, and the revoked names.
 * @throws TunnelError.
 */
export function actOnAll(
  kind: 'agent' | 'tenant',
  name: string,
  action: string,
  gateway: TunnelGateway,
  activity: Activity,
): { readonly cut: number; readonly revoked: readonly string[] } {
  const { revocations } = gateway;
  let cut = 0;
  switch (action) {
    case 'cut':
      cut = gateway.cut(({ claims }) => claims[kind] === name, ASKED);
      break;
    case 'revoke':
      cut = [...gateway.routes.sessions].filter(({ claims }) => claims[kind] === name).length;
      revocations.revoke(kind, name);
      activity.tell('revoked', `${kind} ${name}`, 'is refused from now on');
      break;
    case 'restore':
      if (!revocations.restore(kind, name)) {
        throw new TunnelError('ERR_TUNNEL_ADMIN_NOT_FOUND', `the ${kind} was not revoked here`);
      }
      activity.tell('restored', `${kind} ${name}`, 'may come back');
      break;
    default:
      throw new TunnelError('ERR_TUNNEL_ADMIN_NOT_FOUND', `expected cut, revoke or restore, got "${action}"`);
  }
  return { cut, revoked: revocations.list };
}

const ASKED = 'asked on the admin port';

/**
 * Drains or resumes the session, changes its weight, or ends it. Returns its new state.
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
      const { reason = ASKED } = asked;
      if (typeof reason !== 'string') throw badRequest('reason', 'a text', reason);
      pool.drainSession(key, reason);
      break;
    }
    case 'resume':
      if (pool.updateSession(key).draining && !pool.resumeSession(key)) {
        throw new TunnelError('ERR_TUNNEL_CANNOT_RESUME', `${key} goes away: it takes no new request any more`);
      }
      break;
    case 'cut': {
      const snapshot = pool.updateSession(key); // throws if there is no such session
      gateway.cut(({ ref }) => ref.key === key, ASKED);
      return snapshot;
    }
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
      throw new TunnelError('ERR_TUNNEL_ADMIN_NOT_FOUND', `expected drain, resume, weight or cut, got "${action}"`);
  }
  return pool.updateSession(key); // no change, only its state
}

function badRequest(name: string, expected: string, got: unknown): TunnelError {
  return new TunnelError('ERR_TUNNEL_BAD_REQUEST', `expected ${name} to be ${expected}, got ${JSON.stringify(got)}`);
}
