// One request that came through the tunnel, on the agent's side: forwarded to the local target of its route, or refused.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { codeOf, describe, TunnelError } from '../errors.ts';
import { answerError, type ErrorAnswer } from '../http/error-response.ts';
import { exchange } from '../http/exchange.ts';
import { requestHeaders } from '../http/headers.ts';
import { requestAddress } from '../http/request-address.ts';
import { RequestBody } from '../http/request-body.ts';
import type { UpgradeRequest } from '../http/upgrade-response.ts';
import type { Log } from '../log.ts';
import type { Targets } from './targets.ts';

/** Never rejects. */
export async function serveLocalRequest(
  request: IncomingMessage,
  response: ServerResponse,
  targets: Targets,
  log: Log,
  upgrade?: UpgradeRequest,
): Promise<void> {
  const requestId = request.headers['x-request-id'];
  let body: RequestBody | undefined;
  try {
    // All over again, though the gateway has looked at it: the agent trusts nobody with what is reached here.
    const { host, path } = requestAddress(request);
    const target = targets.find(host, path);
    if (target === undefined) throw new TunnelError('ERR_TUNNEL_NO_TARGET', `no target for ${host}${path}`);
    body = new RequestBody(request);
    if (upgrade !== undefined && body.framing !== 'none') {
      throw new TunnelError('ERR_TUNNEL_BAD_REQUEST', 'expected an upgrade without a body');
    }
    const ending = await exchange(request, response, {
      connection: connect({ ...target, noDelay: true, allowHalfOpen: upgrade !== undefined }),
      body,
      requestHeaders: requestHeaders(request, upgrade === undefined ? body.framing : 'upgrade'),
      addedHeaders: [],
      idleTimeout: 0, // the gateway's limits govern: when it gives up, the stream is reset and this exchange ends with it
      joinedIdleTimeout: 0,
      upgrade,
    });
    if (ending.kind === 'cut') log('response cut', { requestId, url: request.url, error: describe(ending.error) });
  } catch (error) {
    log('request failed', { requestId, url: request.url, error: describe(error) });
    answerError(response, answerFor(error));
    body?.drop();
  }
}

function answerFor(error: unknown): ErrorAnswer {
  const code = codeOf(error, 'ERR_TUNNEL_TARGET_FAILED');
  if (code === 'ERR_TUNNEL_BAD_REQUEST') return { status: 400, code, message: (error as TunnelError).message };
  if (code === 'ERR_TUNNEL_NO_TARGET') return { status: 502, code, message: 'The agent has no target for this route' };
  return { status: 502, code, message: 'The local target of the agent did not answer' };
}
