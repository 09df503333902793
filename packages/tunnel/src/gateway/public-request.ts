// One public request: finds a session for its route, carries it there, tries once more where that is safe, and otherwise says what
// went wrong.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { codeOf, describe, TunnelError } from '../errors.ts';
import { answerError, type ErrorAnswer } from '../http/error-response.ts';
import { exchange } from '../http/exchange.ts';
import { FORWARDED_NAMES, forwardedHeaders } from '../http/forwarded.ts';
import { requestHeaders } from '../http/headers.ts';
import { requestAddress } from '../http/request-address.ts';
import { RequestBody } from '../http/request-body.ts';
import type { UpgradeRequest } from '../http/upgrade-response.ts';
import type { Log } from '../log.ts';
import type { AffinityKey } from './affinity-key.ts';
import type { Routes } from './routes.ts';
import { type ServedObserver, ServedRecord } from './served.ts';

export interface PublicRequestOptions {
  readonly routes: Routes;
  readonly affinity: AffinityKey;
  /** Milliseconds, as the two below. */
  readonly openTimeout: number;
  readonly idleTimeout: number;
  readonly joinedIdleTimeout: number;
  readonly trustForwarded: boolean;
  readonly log: Log;
  readonly onServed: ServedObserver;
}

/** Doing these twice is the same as doing them once (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** Bytes of a body that are kept, so that it can be sent once more. */
const KEPT_BODY = 65_536;

/** Never rejects: every way to fail is answered, logged, or both. */
export async function servePublicRequest(
  request: IncomingMessage,
  response: ServerResponse,
  options: PublicRequestOptions,
  upgrade?: UpgradeRequest,
): Promise<void> {
  const { routes, log, onServed } = options;
  const record = new ServedRecord(upgrade === undefined ? 'http' : 'upgrade');
  const { requestId } = record;
  const clientGone = new AbortController();
  const onClose = (): void => {
    if (!response.writableFinished) clientGone.abort(new Error('the client left'));
  };
  response.once('close', onClose);
  let body: RequestBody | undefined;
  try {
    const address = requestAddress(request);
    record.service = routes.find(address.host, address.path);
    if (record.service === undefined) {
      throw new TunnelError('ERR_TUNNEL_UNKNOWN_ROUTE', `no agent serves ${address.host}${address.path}`);
    }
    const isIdempotent = upgrade === undefined && IDEMPOTENT.has(request.method ?? '');
    body = new RequestBody(request, isIdempotent ? KEPT_BODY : 0);
    const stickTo = options.affinity(request, options.trustForwarded);
    const head = requestHeaders(request, upgrade === undefined ? body.framing : 'upgrade', OWN_HEADERS);
    head.push(...forwardedHeaders(request, options.trustForwarded), 'X-Request-Id', requestId);

    for (let isRepeat = false; ; isRepeat = true) {
      const { stream, agent } = await routes.open(record.service, stickTo, {
        signal: clientGone.signal,
        timeout: options.openTimeout,
        // What can be sent once only, or once more only, is not sent on trust. A round trip first makes sure that the agent took the
        // stream, while the pool can still try other sessions.
        acknowledged: isRepeat || !(isIdempotent && body.staysRepeatable),
      });
      record.opened(stream, agent);
      try {
        const ending = await exchange(request, response, {
          connection: stream,
          body,
          requestHeaders: head,
          addedHeaders: ['X-Request-Id', requestId, 'X-Served-By', agent],
          idleTimeout: options.idleTimeout,
          joinedIdleTimeout: options.joinedIdleTimeout,
          upgrade,
        });
        const error = ending.kind === 'cut' ? ending.error : undefined;
        const status = response.headersSent ? response.statusCode : undefined;
        record.end(ending.kind, status, error, log, onServed);
        return;
      } catch (error) {
        if (isRepeat || !isIdempotent || !body.isRepeatable || !agentIsGone(error) || response.destroyed) throw error;
        log('request tried again', { requestId, agent, error: describe(error) });
      }
    }
  } catch (error) {
    if (response.destroyed) {
      record.end('abandoned', undefined, error, log, onServed); // the client left while a stream was being opened
      return;
    }
    const answer = answerFor(error);
    const added = ['X-Request-Id', requestId, ...(record.agent === undefined ? [] : ['X-Served-By', record.agent])];
    answerError(response, answer, added);
    body?.drop();
    record.end('refused', answer.status, error, log, onServed);
  } finally {
    response.off('close', onClose);
  }
}

const OWN_HEADERS = [...FORWARDED_NAMES, 'x-request-id'];

/** The session under the stream is over, or the agent never took the stream. Any other failure may follow from the request itself. */
function agentIsGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('scope' in error && error.scope === 'session') || ('refused' in error && error.refused === true);
}

function answerFor(error: unknown): ErrorAnswer {
  const code = codeOf(error, 'ERR_TUNNEL_FAILED');
  switch (code) {
    case 'ERR_TUNNEL_BAD_REQUEST':
      return { status: 400, code, message: (error as TunnelError).message };
    case 'ERR_TUNNEL_UNKNOWN_ROUTE':
      return { status: 404, code, message: 'No agent serves this host and path' };
    case 'ERR_TUNNEL_BODY_TIMEOUT':
      return { status: 408, code, message: 'The body of the request did not come in time' };
    case 'ERR_TUNNEL_UNSUPPORTED_CODING':
      return { status: 501, code, message: 'Of the transfer codings only chunked is supported' };
    case 'ERR_YAMUX_POOL_NO_MATCHING_SESSION':
    case 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION':
    case 'ERR_YAMUX_POOL_CLOSED':
      return { status: 503, code, message: 'No agent for this host and path can take a request now', retryAfter: 1 };
    case 'ERR_YAMUX_POOL_OPEN_TIMEOUT':
    case 'ERR_TUNNEL_IDLE_TIMEOUT':
      return { status: 504, code, message: 'The agent did not answer in time' };
    default:
      return { status: 502, code, message: 'The agent failed before it answered' };
  }
}
