// The driver for the sockets of the package `ws`. It recognises them by their shape and does not import the package.
import { YamuxWebSocketError } from './errors.ts';
import { type MessageData, type MessageListener, type MessageSocket, stateOfReadyState } from './message-socket.ts';

/** The members of a `ws` WebSocket that are used. */
export interface WsLike {
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  binaryType: string;
  on(event: string, listener: (...args: never[]) => void): unknown;
  off(event: string, listener: (...args: never[]) => void): unknown;
  send(data: Uint8Array, callback: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  ping(): void;
}

export function isWs(socket: object): socket is WsLike {
  const candidate = socket as Partial<Record<keyof WsLike, unknown>>;
  return (
    typeof candidate.on === 'function' &&
    typeof candidate.terminate === 'function' &&
    typeof candidate.isPaused === 'boolean'
  );
}

export class WsSocket implements MessageSocket {
  readonly #ws: WsLike;

  constructor(ws: WsLike) {
    this.#ws = ws;
  }

  get state(): MessageSocket['state'] {
    return stateOfReadyState(this.#ws.readyState);
  }

  get bufferedAmount(): number {
    return this.#ws.bufferedAmount;
  }

  /** `bufferedAmount` of `ws` falls only by whole writes, which join all waiting messages. The write queue of the handle falls with each byte. */
  get backlog(): number {
    const { _socket: socket } = this.#ws as { _socket?: { _handle?: { writeQueueSize?: number } | null } | null };
    return this.#ws.bufferedAmount + (socket?._handle?.writeQueueSize ?? 0);
  }

  attach(listener: MessageListener): void {
    const ws = this.#ws;
    if (ws.binaryType === 'blob') ws.binaryType = 'nodebuffer'; // the bytes of a Blob are read asynchronously, out of order
    const onOpen = (): void => listener.onOpen();
    const onMessage = (data: MessageData, isBinary: boolean): void => {
      if (isBinary) listener.onMessage(data);
      else listener.onText();
    };
    const onLife = (): void => listener.onLife?.();
    const onError = (error: Error): void => listener.onError(translated(error));
    const onClose = (code: number, reason: Buffer): void => {
      ws.off('open', onOpen);
      ws.off('message', onMessage);
      ws.off('ping', onLife);
      ws.off('pong', onLife);
      ws.off('error', onError);
      ws.off('close', onClose);
      listener.onClose(code, reason.toString());
    };
    ws.on('open', onOpen);
    ws.on('message', onMessage);
    ws.on('ping', onLife);
    ws.on('pong', onLife);
    ws.on('error', onError); // removed only at 'close': `ws` reports an aborted handshake as an error
    ws.on('close', onClose);
    if (ws.isPaused) ws.resume();
  }

  send(message: Uint8Array, sent: (error?: Error | null) => void): void {
    this.#ws.send(message, sent);
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  ping(): void {
    this.#ws.ping();
  }
}

/** `ws` reports a violation of the peer after it has sent the matching close code. */
function translated(cause: Error): YamuxWebSocketError {
  const { code } = cause as { readonly code?: unknown };
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
    const message = 'The peer sent a message above the maxPayload of ws: make the socket with recommendedWsOptions()';
    return new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_MESSAGE_TOO_LARGE', message, { closeCode: 1009, cause });
  }
  const origin = typeof code === 'string' && code.startsWith('WS_ERR_') ? 'remote' : 'local';
  return new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_FAILED', cause.message, { origin, cause });
}
