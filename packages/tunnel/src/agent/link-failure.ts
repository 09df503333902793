// Describes why an agent has no session to a gateway, in one line that says what to do.
import { describe } from '../errors.ts';

/** By the code in the body of a refusal. */
const ADVICE: Readonly<Record<string, string>> = {
  ERR_TUNNEL_TOKEN_MALFORMED: 'the token is none: copy it whole, or issue one with "tunnel-gateway --issue-token"',
  ERR_TUNNEL_TOKEN_SIGNATURE:
    'the token was not issued for this gateway: it was signed by a secret or a key that the gateway does not have',
  ERR_TUNNEL_TOKEN_EXPIRED: 'the token has expired: issue another one with "tunnel-gateway --issue-token"',
  ERR_TUNNEL_TOKEN_REVOKED: 'the agent, its tenant or its token was revoked at the gateway',
  ERR_TUNNEL_ROUTE_TAKEN: 'a host of the token is served by another tenant',
  ERR_TUNNEL_KEYS_UNAVAILABLE: 'the gateway cannot get the keys to check the token by now',
};

interface Failure {
  readonly status?: unknown;
  readonly body?: unknown;
  readonly cause?: { readonly code?: unknown; readonly message?: unknown };
}

const NOT_TRUSTED = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;

/** Of what a dial rejected with, or a session ended with. */
export function linkFailure(error: unknown): string {
  const { status, body, cause } = (error ?? {}) as Failure;
  if (NOT_TRUSTED.test(String(cause?.code))) {
    return `the certificate of the gateway is not trusted, ${cause?.message}: name its authority by NODE_EXTRA_CA_CERTS=<file>, or dial the name that it is for`;
  }
  if (typeof status !== 'number' || typeof body !== 'string') return describe(error);
  const code = body.trim();
  const advice = ADVICE[code];
  if (advice !== undefined) return `the gateway refused the agent with ${status} ${code}: ${advice}`;
  if (status === 404) return `${describe(error)}; a gateway takes agents at its --agent-path, /connect by default`;
  return describe(error);
}
