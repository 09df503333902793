// The driver for WHATWG WebSockets: a browser's, Node's (22 and later) and undici's, recognised by their shape. They can do less than `ws`: they cannot be
// paused, pinged or terminated, and report neither when a message was sent nor why a connection was lost.
import { YamuxWebSocketError } from './errors.ts';
import { type MessageListener, type MessageSocket, stateOfReadyState } from './message-socket.ts';

/** The properties of the WebSocket events that are used. */
export interface WebSocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly error?: unknown;
  readonly code?: number;
  readonly reason?: string;
}

/** The part of a WHATWG WebSocket that is used. */
export interface WebSocketLike {
  readonly readyState: number;
  /** workerd does not have it. */
  readonly bufferedAmount?: number;
  binaryType: string;
  addEventListener(type: string, listener: (event: WebSocketEvent) => void): void;
  removeEventListener(type: string, listener: (event: WebSocketEvent) => void): void;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

export function isWebSocket(socket: object): socket is WebSocketLike {
  const candidate = socket as Partial<Record<keyof WebSocketLike, unknown>>;
  return (
    typeof candidate.addEventListener === 'function' &&
    typeof candidate.send === 'function' &&
    typeof candidate.binaryType === 'string'
  );
}

/** The close code that `terminate()` sends: 1006, "no close frame", moved to the range that an application may send. */
const TERMINATED = 4006;

export class WebSocketDriver implements MessageSocket {
  readonly #socket: WebSocketLike;
  /** Removes the listeners and reports the end, once. */
  #end: (code: number, reason: string) => void = () => {};
  #isTerminated = false;

  constructor(socket: WebSocketLike) {
    this.#socket = socket;
  }

  get state(): MessageSocket['state'] {
    return this.#isTerminated ? 'closed' : stateOfReadyState(this.#socket.readyState);
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount ?? 0;
  }

  attach(listener: MessageListener): void {
    const socket = this.#socket;
    socket.binaryType = 'arraybuffer'; // the bytes of a Blob are read asynchronously, out of order
    let hasOpened = socket.readyState !== 0;
    const onOpen = (): void => {
      hasOpened = true;
      listener.onOpen();
    };
    const onMessage = ({ data }: WebSocketEvent): void => {
      if (data instanceof ArrayBuffer) listener.onMessage(data);
      else if (typeof data === 'string') listener.onText();
      else listener.onError(notBytes());
    };
    // After the open event, the close event has more details.
    const onError = ({ error }: WebSocketEvent): void => {
      if (!hasOpened) listener.onError(neverOpened(error));
    };
    const onClose = ({ code = 1006, reason = '' }: WebSocketEvent): void => this.#end(code, reason);
    socket.addEventListener('open', onOpen);
    socket.addEventListener('message', onMessage);
    socket.addEventListener('error', onError);
    socket.addEventListener('close', onClose);
    this.#end = (code, reason) => {
      this.#end = () => {};
      socket.removeEventListener('open', onOpen);
      socket.removeEventListener('message', onMessage);
      socket.removeEventListener('error', onError);
      socket.removeEventListener('close', onClose);
      listener.onClose(code, reason);
    };
  }

  /** The socket does not report when the message was sent: `bufferedAmount` shows it. */
  send(message: Uint8Array, sent: (error?: Error | null) => void): void {
    this.#socket.send(message as Uint8Array<ArrayBuffer>);
    sent();
  }

  close(code: number, reason: string): void {
    this.#socket.close(sendable(code), reason);
  }

  /** Reports the end at once. The closing handshake continues in the background. */
  terminate(): void {
    this.#isTerminated = true;
    if (this.#socket.readyState < 2) this.#socket.close(TERMINATED, 'terminated');
    queueMicrotask(() => this.#end(1006, ''));
  }
}

/** An application may send only 1000 and 3000 to 4999, so 1001 is sent as 4001, and so on. */
function sendable(code: number): number {
  return code > 1000 && code < 2000 ? code + 3000 : code;
}

function notBytes(): YamuxWebSocketError {
  const message =
    "A message came as a Blob: before the first message can come, set binaryType to 'arraybuffer' or make the stream";
  return new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_FAILED', message, { origin: 'local' });
}

function neverOpened(cause: unknown): YamuxWebSocketError {
  const message =
    'The WebSocket could not be opened: no server listens, or it refused the upgrade; check the URL and the credentials';
  return new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_FAILED', message, { origin: 'remote', cause });
}
