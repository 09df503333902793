// The claims of an agent's token (its identity and its routes) with their checks, and the older of the two token formats, signed with the gateway's
// secret (HMAC-SHA256). The other format, JWT, is in token-keys.ts.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { TunnelError } from './errors.ts';
import { parseRoute, routeText } from './http/route.ts';
import { isTcpService, tcpName, tcpService } from './tcp-service.ts';

/** The identity of an agent and its routes. */
export interface AgentClaims {
  /** Its name: up to 128 characters. */
  readonly agent: string;
  /** The tenant of the agent: a host belongs to one tenant at a time. */
  readonly tenant: string;
  /** The routes that it may serve: `app.example`, `app.example/api`, `*.app.example`, `tcp:postgres`. */
  readonly routes: readonly string[];
  /** Its sessions' share of the requests, where the gateway balances by weight: finite, at least 0. Default 1. */
  readonly weight?: number | undefined;
  /** The expiry in milliseconds since 1970. Then the token opens no new session, and its open sessions end. */
  readonly expires: number;
  /** Of the token, by which it can be revoked. */
  readonly id?: string | undefined;
}

const MIN_SECRET_LENGTH = 16;
const MAX_NAME_LENGTH = 128;
const MAX_ROUTES = 1_000;

/** @throws RangeError if the secret is too short, TypeError if it is not a string. */
export function checkSecret(secret: string): void {
  if (typeof secret !== 'string') throw new TypeError(`expected the secret to be a string, got ${typeof secret}`);
  if (secret.length < MIN_SECRET_LENGTH) {
    throw new RangeError(`the secret must have at least ${MIN_SECRET_LENGTH} characters, got ${secret.length}`);
  }
}

/**
 * A token in the older format, which gateways still accept.
 * @throws RangeError for a secret that is too short; TypeError if the claims are not usable. Routes are signed in their one spelling.
 */
export function signToken(claims: AgentClaims, secret: string): string {
  checkSecret(secret);
  const { id: _id, ...checked } = checkClaims(claims);
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
  // The lengths are not secret; timingSafeEqual() throws if they differ. The payload is not read before this check.
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new TunnelError('ERR_TUNNEL_TOKEN_SIGNATURE', 'the token was not signed by this gateway');
  }
  return verifiedClaims(() => JSON.parse(Buffer.from(payload, 'base64url').toString()) as unknown, now);
}

/** The claims of a token with a checked signature. @throws as verifyToken(). */
export function verifiedClaims(read: () => unknown, now: number): AgentClaims {
  let claims: AgentClaims;
  try {
    claims = checkClaims(read());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TunnelError('ERR_TUNNEL_TOKEN_MALFORMED', `the token is signed, but: ${why}`);
  }
  if (claims.expires <= now) {
    throw new TunnelError('ERR_TUNNEL_TOKEN_EXPIRED', `the token expired at ${new Date(claims.expires).toISOString()}`);
  }
  return claims;
}

/** The claims, with routes in their one spelling. @throws TypeError that says which is not usable. */
export function checkClaims(value: unknown): AgentClaims {
  if (typeof value !== 'object' || value === null) throw unusable('an object', value);
  const { agent, tenant, routes, weight, expires, id } = value as Record<string, unknown>;
  if (!isName(agent)) throw unusable(`agent to be a name of 1 to ${MAX_NAME_LENGTH} characters`, agent);
  if (!isName(tenant)) throw unusable(`tenant to be a name of 1 to ${MAX_NAME_LENGTH} characters`, tenant);
  if (!Array.isArray(routes) || routes.length === 0 || routes.length > MAX_ROUTES) {
    throw unusable(`routes to be a list of 1 to ${MAX_ROUTES}`, routes);
  }
  if (weight !== undefined && (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0)) {
    throw unusable('weight to be a number of at least 0', weight);
  }
  if (typeof expires !== 'number' || !(Math.abs(expires) <= 8.64e15)) throw unusable('expires to be a time', expires);
  if (id !== undefined && !isName(id)) throw unusable('id to be a name', id);
  const canonical = routes.map((route: unknown) => {
    if (typeof route !== 'string') throw unusable('a route to be a text', route);
    return isTcpService(route) ? tcpService(tcpName(route)) : routeText(parseRoute(route));
  });
  return { agent, tenant, routes: [...new Set(canonical)], weight, expires: Math.floor(expires), id };
}

/** Well-formed text without characters that would break a line of a log or of a file. */
function isName(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > MAX_NAME_LENGTH) return false;
  return !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(value) && value === value.trim();
}

function unusable(expected: string, got: unknown): TypeError {
  return new TypeError(`expected ${expected}, got ${JSON.stringify(got)}`);
}

function signature(payload: string, secret: string): Buffer {
  // The prefix prevents that a signature for another purpose with the same secret is accepted as a token.
  return createHmac('sha256', secret).update(`tunnel-agent-token.v1.${payload}`).digest();
}
