// One public request: finds a session for its host, carries it there, tries once more where that is safe, and otherwise says what
// went wrong.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { codeOf, describe, TunnelError } from '../errors.ts';
import { answerError, type ErrorAnswer } from '../http/error-response.ts';
import { exchange } from '../http/exchange.ts';
import { FORWARDED_NAMES, forwardedHeaders } from '../http/forwarded.ts';
import { framingOf, requestHeaders } from '../http/headers.ts';
import { hostName } from '../http/host.ts';
import type { Log } from '../log.ts';
import type { Routes } from './routes.ts';

export interface PublicRequestOptions {
  readonly routes: Routes;
  readonly openTimeout: number;
  readonly idleTimeout: number;
  readonly trustForwarded: boolean;
  readonly log: Log;
}

/** Doing these twice is the same as doing them once (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Never rejects: every way to fail is answered, logged, or both. */
export async function servePublicRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: PublicRequestOptions,
): Promise<void> {
  const { routes, log } = options;
  const requestId = randomUUID();
  const clientGone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) clientGone.abort();
  });
  let servedBy: string | undefined;
  let retried = false;
  try {
    const host = hostName(request.headers.host);
    const routing = routes.routing(host);
    if (routing === undefined) throw new TunnelError('ERR_TUNNEL_UNKNOWN_HOST', `no agent serves ${host}`);
    const framing = framingOf(request);
    const repeatable = framing === 'none' && IDEMPOTENT.has(request.method ?? '');
    const head = requestHeaders(request, framing, [...FORWARDED_NAMES, 'x-request-id']);
    head.push(...forwardedHeaders(request, options.trustForwarded), 'X-Request-Id', requestId);

    for (;;) {
      const { stream, session } = await routes.pool.openStream(routing, {
        signal: clientGone.signal,
        timeout: options.openTimeout,
        // A body can be sent once only. A round trip first makes sure that the agent took the stream, while the pool can still
        // try another session.
        acknowledged: !repeatable,
      });
      servedBy = session.id;
      try {
        const ending = await exchange(request, response, {
          connection: stream,
          framing,
          requestHeaders: head,
          addedHeaders: ['X-Request-Id', requestId, 'X-Served-By', session.id],
          idleTimeout: options.idleTimeout,
        });
        if (ending.kind === 'cut') log('response cut', { requestId, servedBy, error: describe(ending.error) });
        return;
      } catch (error) {
        if (retried || !repeatable || !agentIsGone(error)) throw error;
        retried = true;
        log('request tried again', { requestId, servedBy, error: describe(error) });
      }
    }
  } catch (error) {
    if (response.destroyed) return; // the client left while a stream was being opened
    const answer = answerFor(error);
    log('request failed', { requestId, servedBy, status: answer.status, error: describe(error) });
    const added = ['X-Request-Id', requestId, ...(servedBy === undefined ? [] : ['X-Served-By', servedBy])];
    answerError(response, answer, added);
  }
}

/** The session under the stream is over, or the agent never took the stream. Any other failure may follow from the request itself. */
function agentIsGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('scope' in error && error.scope === 'session') || ('refused' in error && error.refused === true);
}

function answerFor(error: unknown): ErrorAnswer {
  const code = codeOf(error, 'ERR_TUNNEL_FAILED');
  switch (code) {
    case 'ERR_TUNNEL_UNKNOWN_HOST':
      return { status: 404, code, message: 'No agent serves this host' };
    case 'ERR_TUNNEL_UNSUPPORTED_CODING':
      return { status: 501, code, message: 'Of the transfer codings only chunked is supported' };
    case 'ERR_YAMUX_POOL_NO_MATCHING_SESSION':
    case 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION':
    case 'ERR_YAMUX_POOL_CLOSED':
      return { status: 503, code, message: 'No agent for this host can take a request now', retryAfter: 1 };
    case 'ERR_YAMUX_POOL_OPEN_TIMEOUT':
    case 'ERR_TUNNEL_IDLE_TIMEOUT':
      return { status: 504, code, message: 'The agent did not answer in time' };
    default:
      return { status: 502, code, message: 'The agent failed before it answered' };
  }
}
