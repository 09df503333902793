// One raw TCP connection that came through the tunnel as HTTP CONNECT: joined with the local target of its name, or refused.
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { codeOf, describe } from '../errors.ts';
import { join } from '../http/connection.ts';
import { answerError } from '../http/error-response.ts';
import { hostName } from '../http/host.ts';
import { detach, type UpgradeRequest, upgradeResponse } from '../http/upgrade-response.ts';
import type { Log } from '../log.ts';
import type { Targets } from './targets.ts';

export function serveLocalConnect(
  request: IncomingMessage,
  { socket, head }: UpgradeRequest,
  targets: Targets,
  log: Log,
): void {
  const requestId = request.headers['x-request-id'];
  const response = upgradeResponse(request, { socket, head });
  const name = hostName(request.url); // CONNECT name:port; the port is the public one, and opens nothing here
  const target = targets.findTcp(name);
  if (target === undefined) {
    log('connect refused', { requestId, name });
    const message = 'The agent has no TCP target of this name';
    answerError(response, { status: 403, code: 'ERR_TUNNEL_NO_TARGET', message });
    return;
  }
  // Half-open: the target may answer after the client has said all it has to say.
  const local: Socket = connect({ ...target, noDelay: true, allowHalfOpen: true });
  const onGone = (): void => void local.destroy(); // the gateway gave up while we were connecting
  response.once('close', onGone);
  const onRefused = (error: Error): void => {
    log('connect failed', { requestId, name, error: describe(error) });
    const code = codeOf(error, 'ERR_TUNNEL_TARGET_FAILED');
    answerError(response, { status: 502, code, message: 'The local target of the agent did not answer' });
  };
  local.once('error', onRefused);
  local.once('connect', () => {
    local.off('error', onRefused);
    response.off('close', onGone);
    detach(response, { socket, head });
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n'); // by itself node:http would announce a body in chunks
    if (head.length > 0) local.write(head);
    void join(socket, local, 0).then((ending) => {
      if (ending.kind === 'cut') log('connection cut', { requestId, name, error: describe(ending.error) });
    });
  });
}
