// Carries one HTTP request and its response between a server's (request, response) and a connection that is used for nothing else:
// a stream of the tunnel on the gateway, a socket to the local target on the agent. Streams both ways, holds no body, never turns a
// truncated body into a whole one. Knows nothing of pools, hosts or retries.
import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Duplex, pipeline } from 'node:stream';
import { TunnelError } from '../errors.ts';
import { type Framing, responseHeaders, trailerPairs } from './headers.ts';

export interface ExchangeOptions {
  /** Open or still connecting; destroyed or ended when the exchange is over. */
  readonly connection: Duplex;
  readonly framing: Framing;
  /** The whole head that goes out, [name, value, …]. */
  readonly requestHeaders: string[];
  /** Added to the head that comes back, [name, value, …], in place of what it calls the same. */
  readonly addedHeaders: readonly string[];
  /** Milliseconds without a byte in either direction on the connection; 0 is no limit. */
  readonly idleTimeout: number;
}

export type Ending =
  | { readonly kind: 'complete' }
  /** The client went away; the connection was reset, so that the other end stops working too. */
  | { readonly kind: 'abandoned' }
  /** The connection failed after the head was sent; the client's socket was destroyed, so that it cannot take the body for whole. */
  | { readonly kind: 'cut'; readonly error: Error };

/** Rejects only while nothing has been sent to the client: whoever called may still answer, or try once more. */
export function exchange(
  request: IncomingMessage,
  response: ServerResponse,
  options: ExchangeOptions,
): Promise<Ending> {
  const { connection, framing } = options;
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
    upstream.setTimeout(options.idleTimeout, () => {
      const message = `no byte moved for ${options.idleTimeout} ms`;
      upstream.destroy(new TunnelError('ERR_TUNNEL_IDLE_TIMEOUT', message));
    });

    const onClientClose = (): void => {
      if (response.writableFinished || failure !== undefined) return;
      resolve({ kind: 'abandoned' });
      upstream.destroy();
    };
    response.once('close', onClientClose);

    const fail = (error: Error): void => {
      failure ??= error;
      stopBody();
      if (response.headersSent) return; // the pipeline below has seen it too, and tells
      response.off('close', onClientClose);
      reject(error);
    };
    upstream.on('error', fail);

    // The body is piped, not put through pipeline(): that would destroy the request, and with it the client's socket, on which the
    // answer that explains the failure still has to go out.
    const stopBody = (): void => {
      request.unpipe(upstream);
      request.resume(); // what the client still sends is read and dropped, or it would never read the answer
    };
    if (framing === 'none') upstream.end();
    else {
      upstream.flushHeaders();
      if (framing === 'chunked') request.once('end', () => upstream.addTrailers(trailerPairs(request)));
      request.pipe(upstream);
    }

    upstream.once('continue', () => response.writeContinue());
    // Nobody asked for one: requestHeaders() takes Upgrade away. Without a listener node:http ends the request without any event.
    upstream.once('upgrade', (_head, socket) => {
      socket.destroy();
      fail(new TunnelError('ERR_TUNNEL_UNEXPECTED_UPGRADE', 'the answer was 101 Switching Protocols'));
    });
    upstream.once('response', (head) => {
      head.once('error', (error) => {
        failure ??= error;
      });
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
        stopBody(); // answered before all of it was sent: the rest has no reader
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
