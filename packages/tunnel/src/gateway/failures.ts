// The meaning of a failure: the response to the client, and whether another session can be tried.
import { SESSION_LOST } from '@zishuo/yamux-fleet';
import { codeOf, type TunnelError, UpstreamError } from '../errors.ts';
import type { ErrorAnswer } from '../http/error-response.ts';

/** Whether the session has ended, or the agent never took the stream. The request itself may cause any other failure. */
export function agentIsGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('errorCode' in error && error.errorCode === SESSION_LOST) return true; // a session of another gateway
  return ('scope' in error && error.scope === 'session') || ('refused' in error && error.refused === true);
}

export function answerFor(error: unknown): ErrorAnswer {
  const code = codeOf(error, 'ERR_TUNNEL_FAILED');
  if (error instanceof UpstreamError) return upstreamAnswer(code, error);
  switch (code) {
    case 'ERR_TUNNEL_BAD_REQUEST':
      return { status: 400, code, message: (error as TunnelError).message };
    case 'ERR_TUNNEL_UNKNOWN_ROUTE':
      return { status: 404, code, message: 'No agent serves this host and path' };
    case 'ERR_TUNNEL_BODY_TIMEOUT':
      return { status: 408, code, message: 'The body of the request did not come in time' };
    case 'ERR_TUNNEL_LIMIT':
      return { status: 429, code, message: 'Too many requests at a time', retryAfter: 1 };
    case 'ERR_TUNNEL_TOO_MANY_HEADERS':
      return { status: 431, code, message: 'The request has too many headers' };
    case 'ERR_TUNNEL_UNSUPPORTED_CODING':
      return { status: 501, code, message: 'Of the transfer codings only chunked is supported' };
    case 'ERR_TUNNEL_LOOP':
      return { status: 508, code, message: 'The route leads back to this gateway' };
    case 'ERR_YAMUX_POOL_NO_MATCHING_SESSION':
    case 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION':
    case 'ERR_YAMUX_POOL_CLOSED':
    case 'ERR_YAMUX_FLEET_GONE':
    case 'ERR_YAMUX_FLEET_REFUSED':
    case 'ERR_YAMUX_FLEET_UNREACHABLE':
    case 'ERR_YAMUX_FLEET_DIRECTORY':
    case 'ERR_YAMUX_FLEET_CLOSED':
    case 'ERR_TUNNEL_NOT_READY':
    case 'ERR_TUNNEL_TENANT_LIMIT':
      return { status: 503, code, message: 'No agent for this host and path can take a request now', retryAfter: 1 };
    case 'ERR_YAMUX_POOL_OPEN_TIMEOUT':
    case 'ERR_TUNNEL_AGENT_SILENT':
    case 'ERR_TUNNEL_IDLE_TIMEOUT':
      return { status: 504, code, message: 'The agent did not answer in time' };
    default:
      return { status: 502, code, message: 'The agent failed before it answered' };
  }
}

/** The code of an agent's error: never its message, which may contain internal names. */
function upstreamAnswer(code: string, error: UpstreamError): ErrorAnswer {
  switch (code) {
    case 'ERR_TUNNEL_BAD_REQUEST':
      return { status: 400, code, message: error.message };
    case 'ERR_TUNNEL_NO_TARGET':
      return { status: 502, code, message: 'The agent has no target for this route' };
    case 'ERR_TUNNEL_AGENT_SILENT':
    case 'ERR_TUNNEL_TARGET_TIMEOUT':
      return { status: 504, code, message: 'The agent did not answer in time' };
    case 'ERR_TUNNEL_BAD_ANSWER':
      return { status: 502, code, message: 'The answer was none that HTTP can carry' };
    default:
      return { status: 502, code, message: 'The local target of the agent did not answer' };
  }
}
