// What an agent shows when it dials in: who it is and what it may serve, signed by the gateway's secret (HMAC-SHA256). The
// gateway stores nothing. Written out instead of a JWT: there is no algorithm to choose, so none can be confused.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { TunnelError } from './errors.ts';
import { parseRoute, routeText } from './http/route.ts';
import { isTcpService, tcpName, tcpService } from './tcp-service.ts';

export interface AgentClaims {
  readonly agent: string;
  readonly tenant: string;
  /** What it may serve: `app.example`, `app.example/api`, `tcp:postgres`. */
  readonly routes: readonly string[];
  /** Its sessions' share of the requests, where the gateway balances by weight: finite, at least 0. Default 1. */
  readonly weight?: number | undefined;
  /** Milliseconds since 1970: from then on the token opens no new session. */
  readonly expires: number;
}

const MIN_SECRET_LENGTH = 16;

/** @throws RangeError if it is too short to be one. */
export function checkSecret(secret: string): void {
  if (secret.length < MIN_SECRET_LENGTH) {
    throw new RangeError(`the secret must have at least ${MIN_SECRET_LENGTH} characters, got ${secret.length}`);
  }
}

/** @throws RangeError for a secret that is too short; TypeError if the claims are not usable. Routes are signed in their one spelling. */
export function signToken(claims: AgentClaims, secret: string): string {
  checkSecret(secret);
  const checked = readClaims({ ...claims, routes: claims.routes.map(canonical) });
  if (checked === undefined) {
    throw new TypeError(
      `claims must have agent, tenant, at least one route, expires and a weight of at least 0 if any, got ${JSON.stringify(claims)}`,
    );
  }
  const payload = Buffer.from(JSON.stringify(checked)).toString('base64url');
  return `${payload}.${signature(payload, secret).toString('base64url')}`;
}

/** @throws TunnelError with ERR_TUNNEL_TOKEN_MALFORMED, ERR_TUNNEL_TOKEN_SIGNATURE or ERR_TUNNEL_TOKEN_EXPIRED. */
export function verifyToken(token: string, secret: string, now: number): AgentClaims {
  const [payload, proof, ...rest] = token.split('.');
  if (payload === undefined || proof === undefined || rest.length > 0) {
    throw new TunnelError('ERR_TUNNEL_TOKEN_MALFORMED', 'expected a token of two parts, payload.signature');
  }
  const expected = signature(payload, secret);
  const given = Buffer.from(proof, 'base64url');
  // The lengths are no secret; timingSafeEqual throws where they differ. Nothing of the payload is read before this.
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new TunnelError('ERR_TUNNEL_TOKEN_SIGNATURE', 'the token was not signed by this gateway');
  }
  const claims = readClaims(JSON.parse(Buffer.from(payload, 'base64url').toString()));
  if (claims === undefined) {
    throw new TunnelError('ERR_TUNNEL_TOKEN_MALFORMED', 'the token is signed, but its claims are not complete');
  }
  if (claims.expires <= now) {
    throw new TunnelError('ERR_TUNNEL_TOKEN_EXPIRED', `the token expired at ${new Date(claims.expires).toISOString()}`);
  }
  return claims;
}

function signature(payload: string, secret: string): Buffer {
  // The prefix keeps a signature made for another purpose with the same secret from being a token.
  return createHmac('sha256', secret).update(`tunnel-agent-token.v1.${payload}`).digest();
}

function readClaims(value: unknown): AgentClaims | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { agent, tenant, routes, weight, expires } = value as Record<string, unknown>;
  if (typeof agent !== 'string' || agent === '' || typeof tenant !== 'string' || tenant === '') return undefined;
  if (!Array.isArray(routes) || routes.length === 0) return undefined;
  if (!routes.every((route) => typeof route === 'string' && route !== '')) return undefined;
  if (weight !== undefined && (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0)) return undefined;
  if (typeof expires !== 'number' || !Number.isSafeInteger(expires)) return undefined;
  return { agent, tenant, routes, weight, expires };
}

function canonical(route: string): string {
  return isTcpService(route) ? tcpService(tcpName(route)) : routeText(parseRoute(route));
}
