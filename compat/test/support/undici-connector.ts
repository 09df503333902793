import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { YamuxSession } from '@zishuo/yamux';
import { buildConnector, errors } from 'undici';

/**
 * For `new Agent({ connect })` of undici: its connections are streams of `session`, with TLS inside them for https. `timeout` in ms: how
 * long a stream may wait for its turn, and then a TLS handshake may take.
 */
export function connector(
  session: YamuxSession,
  tls: buildConnector.BuildOptions = {},
  timeout = 10_000,
): buildConnector.connector {
  const secure = buildConnector({ ...tls, timeout });
  return (options, callback) => {
    const signal = AbortSignal.timeout(timeout);
    session.open({ signal }).then(
      (stream: Duplex) => {
        // A Duplex is all that undici needs here; its types ask for a Socket.
        const socket = stream as Socket;
        if (options.protocol === 'https:') secure({ ...options, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (error: Error) => {
        const late = new errors.ConnectTimeoutError(`No stream could be opened in ${timeout} ms`);
        callback(signal.aborted ? late : error, null);
      },
    );
  };
}
