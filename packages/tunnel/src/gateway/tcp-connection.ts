// One public TCP connection: carried to a named target of an agent, as HTTP CONNECT inside the stream. So the agent's HTTP server takes
// it as it takes all else, and its allow-list decides. The name stands where CONNECT has a host; the port is the one that the client
// dialled, and only tells.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { YamuxStream } from '@zishuo/yamux';
import { TunnelError } from '../errors.ts';
import { join, reset } from '../http/connection.ts';
import { tcpService } from '../tcp-service.ts';
import type { PublicRequestOptions } from './public-request.ts';
import { ServedRecord } from './served.ts';

/** Never rejects. A client that cannot be served is reset: a clean end would be an answer of zero bytes. */
export async function serveTcpConnection(socket: Socket, name: string, options: PublicRequestOptions): Promise<void> {
  const { log, onServed } = options;
  const record = new ServedRecord('tcp');
  record.service = tcpService(name);
  const clientGone = new AbortController();
  const onClose = (): void => clientGone.abort(new Error('the client left'));
  socket.on('error', () => {}); // 'close' follows
  socket.once('close', onClose);
  const address = socket.remoteAddress ?? 'unknown';
  try {
    const { stream, agent } = await options.routes.open(record.service, undefined, {
      signal: clientGone.signal,
      timeout: options.openTimeout,
      acknowledged: true,
    });
    record.opened(stream, agent);
    const head = ['Host', name, 'X-Forwarded-For', address, 'X-Request-Id', record.requestId];
    const early = await connect(
      stream,
      `${name}:${socket.localPort ?? 0}`,
      head,
      options.openTimeout,
      clientGone.signal,
    );
    socket.off('close', onClose); // join() watches it
    if (early.length > 0) socket.write(early);
    const ending = await join(socket, stream, options.joinedIdleTimeout);
    record.end(ending.kind, undefined, ending.kind === 'cut' ? ending.error : undefined, log, onServed);
  } catch (error) {
    socket.off('close', onClose);
    reset(socket);
    record.end(clientGone.signal.aborted ? 'abandoned' : 'refused', undefined, error, log, onServed);
  }
}

/** Resolves with what the target has said already when the agent is connected to it. */
function connect(
  stream: YamuxStream,
  authority: string,
  headers: readonly string[],
  timeout: number,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const connecting = httpRequest({
      createConnection: () => stream,
      method: 'CONNECT',
      path: authority,
      headers: [...headers],
      signal,
    });
    connecting.setTimeout(timeout, () => {
      connecting.destroy(new TunnelError('ERR_TUNNEL_IDLE_TIMEOUT', `the target did not answer for ${timeout} ms`));
    });
    // node:http calls any final answer to a CONNECT by this event, a refusal too.
    connecting.once('connect', (answer: IncomingMessage, _stream, early: Buffer) => {
      if (answer.statusCode === 200) resolve(early);
      else {
        stream.destroy();
        reject(
          new TunnelError(
            'ERR_TUNNEL_CONNECT_REFUSED',
            `the agent answered ${answer.statusCode} to CONNECT ${authority}`,
          ),
        );
      }
    });
    connecting.on('error', reject);
    connecting.end();
  });
}
