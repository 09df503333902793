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
    const stream: Duplex = session.connect();
    const settle = (error: Error | null): void => {
      clearTimeout(timer);
      stream.off('connect', onConnect).off('error', settle);
      // A Duplex is all that undici needs here; its types ask for a Socket.
      const socket = stream as Socket;
      if (error) callback(error, null);
      else if (options.protocol === 'https:') secure({ ...options, httpSocket: socket }, callback);
      else callback(null, socket);
    };
    const onConnect = (): void => settle(null);
    stream.on('connect', onConnect).on('error', settle);
    const late = new errors.ConnectTimeoutError(`No stream could be opened in ${timeout} ms`);
    const timer = setTimeout(() => stream.destroy(late), timeout);
  };
}
