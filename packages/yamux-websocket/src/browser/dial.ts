// dial() in a browser: by the browser's own WebSocket, which takes a URL and subprotocols, and tells no more of a failure than that it failed.
import type { YamuxSession } from '@zishuo/yamux';
import { checkDialOptions as checkForNode, type DialOptions, handshakeTimedOut } from '../dial.ts';
import { YamuxWebSocketError } from '../errors.ts';
import { sessionOver } from '../session.ts';
import type { WebSocketLike } from '../web-socket.ts';

export async function dial(url: string | URL, options: DialOptions = {}): Promise<YamuxSession> {
  checkDialOptions('dial()', options);
  const { role = 'client', subprotocols = [], signal, handshakeTimeout = 10_000, yamux, stream } = options;
  signal?.throwIfAborted();
  const { WebSocket } = globalThis as unknown as {
    readonly WebSocket: new (url: string | URL, subprotocols: readonly string[]) => WebSocketLike;
  };
  const socket = new WebSocket(url, [...subprotocols]);
  await opened(socket, handshakeTimeout, signal);
  return sessionOver(socket, role, yamux, stream);
}

/** @throws {TypeError} for what only the package `ws` can do, besides. */
export function checkDialOptions(owner: string, options: DialOptions | undefined): void {
  checkForNode(owner, options);
  for (const name of ['headers', 'maskPayload', 'ws'] as const) {
    if (options?.[name] === undefined) continue;
    const advice = name === 'headers' ? '; authenticate by a cookie, the URL or a subprotocol' : '';
    throw new TypeError(`Expected ${owner} without ${name} in a browser, whose WebSocket has no such thing${advice}`);
  }
}

/** No message comes before the code that awaits this has run. */
function opened(socket: WebSocketLike, timeout: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      socket.removeEventListener('open', onOpen);
      socket.removeEventListener('close', onClose);
    };
    const fail = (reason: unknown): void => {
      settled();
      socket.close();
      reject(reason);
    };
    const onOpen = (): void => {
      settled();
      resolve();
    };
    const onClose = (): void => {
      const message =
        'The WebSocket could not be opened: no server there, or it refused the upgrade; check the URL and the credentials';
      fail(new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_DIAL_FAILED', message, { origin: 'remote' }));
    };
    const onTimeout = (): void => fail(handshakeTimedOut(timeout));
    const onAbort = (): void => fail(signal?.reason);
    const timer = timeout === 0 ? undefined : setTimeout(onTimeout, timeout);
    signal?.addEventListener('abort', onAbort);
    socket.addEventListener('open', onOpen);
    socket.addEventListener('close', onClose);
  });
}
