// Carries one HTTP request and its response between a server's (request, response) and a connection that is used for nothing else:
// a stream of the tunnel on the gateway, a socket to the local target on the agent. Streams both ways, holds no body, never turns a
// truncated body into a whole one. Where the request asks for an upgrade and gets it, both connections are joined. Knows nothing of
// pools, hosts or retries.
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { TunnelError } from '../errors.ts';
import { type Connection, type Ending, join, reset } from './connection.ts';
import { responseHeaders, switchingHeaders, trailerPairs } from './headers.ts';
import { passInformation } from './information.ts';
import type { RequestBody } from './request-body.ts';
import { detach, type UpgradeRequest } from './upgrade-response.ts';

export interface ExchangeOptions {
  /** Open or still connecting; destroyed or ended when the exchange is over. */
  readonly connection: Connection;
  readonly body: RequestBody;
  /** The whole head that goes out, [name, value, …]. */
  readonly requestHeaders: string[];
  /** Added to the head that comes back, [name, value, …], in place of what it calls the same. */
  readonly addedHeaders: readonly string[];
  /** Milliseconds without a byte in either direction, of the client or of the connection; 0 is no limit. */
  readonly idleTimeout: number;
  /** The same once the connections are joined, where protocols may be silent for longer. */
  readonly joinedIdleTimeout: number;
  /** Where the request asks for an upgrade. */
  readonly upgrade: UpgradeRequest | undefined;
}

/** Rejects only while nothing has been sent to the client: whoever called may still answer, or try once more. */
export function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  options: ExchangeOptions,
): Promise<Ending> {
  const { connection, body, idleTimeout, upgrade } = options;
  return new Promise((resolve, reject) => {
    if (response.destroyed) {
      connection.destroy(); // gone while the connection was being opened: 'close' will not come again
      resolve({ kind: 'abandoned' });
      return;
    }
    let failure: Error | undefined;

    let upstream: ClientRequest;
    try {
      // No `agent`: with one, node:http would want to keep the connection for a next request.
      upstream = httpRequest({
        createConnection: () => connection,
        method: request.method,
        path: request.url,
        headers: options.requestHeaders,
      });
    } catch (error) {
      connection.destroy(); // a head that node:http does not send; the connection would stay for ever
      reject(error);
      return;
    }

    const onClientClose = (): void => {
      if (response.writableFinished || failure !== undefined) return;
      body.stop();
      upstream.destroy();
      resolve({ kind: 'abandoned' });
    };
    response.once('close', onClientClose);

    const fail = (error: Error): void => {
      failure ??= error;
      body.stop();
      if (response.headersSent) {
        // HTTP/1.0 knows no other end of a body than that of the connection: a FIN would make a truncated one look whole.
        if (response.socket !== null && !response.writableFinished) reset(response.socket);
        return; // the pipeline below tells
      }
      response.off('close', onClientClose);
      reject(error);
    };
    upstream.on('error', fail);

    const onIdle = (): void => {
      const error = idleError(idleTimeout, body.isAwaited);
      upstream.destroy(error);
      fail(error);
    };
    upstream.setTimeout(idleTimeout, onIdle);
    // Beside that one, for a client that takes nothing when all of a short answer is here already and the connection is over.
    response.setTimeout(idleTimeout, onIdle);

    body.sendTo(upstream);
    upstream.on('information', (information) => passInformation(information, request, response));

    upstream.once('upgrade', (head, _socket, rest) => {
      response.off('close', onClientClose);
      if (upgrade === undefined) {
        // Nobody asked for one: requestHeaders() takes Upgrade away.
        connection.destroy();
        fail(new TunnelError('ERR_TUNNEL_UNEXPECTED_UPGRADE', 'the answer was 101 Switching Protocols'));
        return;
      }
      response.writeHead(101, switchingHeaders(head, options.addedHeaders));
      response.flushHeaders();
      detach(response, upgrade);
      // Either side may have begun to speak in the packet that carried its head.
      if (rest.length > 0) upgrade.socket.write(rest);
      if (upgrade.head.length > 0) connection.write(upgrade.head);
      void join(upgrade.socket, connection, options.joinedIdleTimeout).then(resolve);
    });

    upstream.once('response', (head) => {
      head.once('error', fail); // before pipeline() destroys the response, and with it the socket that must be reset
      try {
        // Throws for a status that the parser lets pass and HTTP does not know, such as 042.
        response.writeHead(head.statusCode ?? 0, responseHeaders(head, options.addedHeaders));
      } catch (error) {
        upstream.destroy();
        fail(error as Error);
        return;
      }
      response.flushHeaders(); // the first event of an event stream may be minutes away
      head.once('end', () => {
        body.drop(); // answered before all of it was sent: the rest has no reader
        response.addTrailers(trailerPairs(head));
      });
      pipeline(head, response, (error) => {
        response.off('close', onClientClose);
        if (!error) resolve({ kind: 'complete' });
        else resolve(failure === undefined ? { kind: 'abandoned' } : { kind: 'cut', error: failure });
      });
    });
  });
}

function idleError(idleTimeout: number, bodyIsAwaited: boolean): TunnelError {
  return bodyIsAwaited
    ? new TunnelError('ERR_TUNNEL_BODY_TIMEOUT', `the client sent nothing of its body for ${idleTimeout} ms`)
    : new TunnelError('ERR_TUNNEL_IDLE_TIMEOUT', `no byte moved for ${idleTimeout} ms`);
}
