// The errors of the tunnel. Callers distinguish them by `code`. Errors of the pool and of Yamux keep their own codes.

export type TunnelErrorCode =
  | 'ERR_TUNNEL_TOKEN_MALFORMED'
  | 'ERR_TUNNEL_TOKEN_SIGNATURE'
  | 'ERR_TUNNEL_TOKEN_EXPIRED'
  | 'ERR_TUNNEL_TOKEN_REVOKED'
  | 'ERR_TUNNEL_KEYS_UNAVAILABLE'
  | 'ERR_TUNNEL_ROUTE_TAKEN'
  | 'ERR_TUNNEL_LIMIT'
  | 'ERR_TUNNEL_TENANT_LIMIT'
  | 'ERR_TUNNEL_LOOP'
  | 'ERR_TUNNEL_TOO_MANY_HEADERS'
  | 'ERR_TUNNEL_PROTOCOL'
  | 'ERR_TUNNEL_BAD_ANSWER'
  | 'ERR_TUNNEL_TOO_MANY_INTERIM'
  | 'ERR_TUNNEL_AGENT_CLOSED'
  | 'ERR_TUNNEL_AGENT_SILENT'
  | 'ERR_TUNNEL_TARGET_TIMEOUT'
  | 'ERR_TUNNEL_BAD_REQUEST'
  | 'ERR_TUNNEL_UNKNOWN_ROUTE'
  | 'ERR_TUNNEL_NO_TARGET'
  | 'ERR_TUNNEL_UNSUPPORTED_CODING'
  | 'ERR_TUNNEL_UNEXPECTED_UPGRADE'
  | 'ERR_TUNNEL_CONNECT_REFUSED'
  | 'ERR_TUNNEL_CONNECTION_LOST'
  | 'ERR_TUNNEL_BODY_TIMEOUT'
  | 'ERR_TUNNEL_IDLE_TIMEOUT'
  | 'ERR_TUNNEL_NOT_READY'
  | 'ERR_TUNNEL_CANNOT_RESUME'
  | 'ERR_TUNNEL_ADMIN_HOST'
  | 'ERR_TUNNEL_ADMIN_TOKEN'
  | 'ERR_TUNNEL_ADMIN_NOT_FOUND'
  | 'ERR_TUNNEL_ADMIN_METHOD'
  | 'ERR_TUNNEL_ADMIN_FULL';

export class TunnelError extends Error {
  readonly code: TunnelErrorCode;

  constructor(code: TunnelErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  override get name(): string {
    return 'TunnelError';
  }
}

/** The next hop gave no complete response. The code may come from elsewhere: ECONNREFUSED, HPE_INVALID_CONSTANT. */
export class UpstreamError extends Error {
  readonly code: string;
  /** The request has not reached its target, so another session may be tried, whatever the method. */
  readonly isUnsent: boolean;

  constructor(code: string, message: string, isUnsent: boolean, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.isUnsent = isUnsent;
  }

  override get name(): string {
    return 'UpstreamError';
  }
}

/** The `code` of an error from anywhere; `fallback` where it has none. */
export function codeOf(error: unknown, fallback: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : fallback;
}

/** For the log: the code, and what the error says. */
export function describe(error: unknown): string {
  return error instanceof Error ? `${codeOf(error, error.name)}: ${error.message}` : String(error);
}
