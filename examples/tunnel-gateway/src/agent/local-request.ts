// One request that came through the tunnel, on the agent's side: forwarded to the local target of its host, or refused.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { codeOf, describe } from '../errors.ts';
import { answerError } from '../http/error-response.ts';
import { exchange } from '../http/exchange.ts';
import { framingOf, requestHeaders } from '../http/headers.ts';
import { hostName } from '../http/host.ts';
import type { Log } from '../log.ts';
import type { Targets } from './targets.ts';

export async function serveLocalRequest(
  request: IncomingMessage,
  response: ServerResponse,
  targets: Targets,
  log: Log,
): Promise<void> {
  const host = hostName(request.headers.host);
  const target = targets.find(host);
  if (target === undefined) {
    answerError(response, {
      status: 502,
      code: 'ERR_TUNNEL_NO_TARGET',
      message: 'The agent has no target for this host',
    });
    return;
  }
  try {
    const framing = framingOf(request);
    const ending = await exchange(request, response, {
      connection: connect({ ...target, noDelay: true }),
      framing,
      requestHeaders: requestHeaders(request, framing),
      addedHeaders: [],
      idleTimeout: 0, // the gateway's limit governs: when it gives up, the stream is reset and this exchange ends with it
    });
    if (ending.kind === 'cut') log('response cut', { host, url: request.url, error: describe(ending.error) });
  } catch (error) {
    log('request failed', { host, url: request.url, error: describe(error) });
    answerError(response, {
      status: 502,
      code: codeOf(error, 'ERR_TUNNEL_TARGET_FAILED'),
      message: 'The local target of the agent did not answer',
    });
  }
}
