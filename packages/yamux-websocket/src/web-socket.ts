// The driver for the WebSocket of the WHATWG standard: a browser's, Node's own (22 and later) and undici's, told by their shape. It is poorer than `ws`:
// it cannot be paused, pinged or terminated, and tells neither when a message has left nor why a connection was lost.
import { YamuxWebSocketError } from './errors.ts';
import type { MessageListener, MessageSocket } from './message-socket.ts';

/** What the listeners are given, as far as it is used. */
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
  /** Not in workerd, which buffers what it likes. */
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

const STATES = ['connecting', 'open', 'closing', 'closed'] as const;

/** Sent by `terminate()`: 1006, "no close frame", in the range of codes that an application may use. */
const TERMINATED = 4006;

export class WebSocketDriver implements MessageSocket {
  readonly #socket: WebSocketLike;
  /** Takes the listeners off and reports the end, once. */
  #end: (code: number, reason: string) => void = () => {};
  #isTerminated = false;

  constructor(socket: WebSocketLike) {
    this.#socket = socket;
  }

  get state(): (typeof STATES)[number] {
    return this.#isTerminated ? 'closed' : (STATES[this.#socket.readyState] ?? 'closed');
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount ?? 0;
  }

  attach(listener: MessageListener): void {
    const socket = this.#socket;
    socket.binaryType = 'arraybuffer'; // a Blob's bytes come later, out of order with the rest
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
    // Once open, the close event tells more.
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

  /** `bufferedAmount` tells when the message has left. */
  send(message: Uint8Array, sent: (error?: Error | null) => void): void {
    this.#socket.send(message as Uint8Array<ArrayBuffer>);
    sent();
  }

  close(code: number, reason: string): void {
    this.#socket.close(sendable(code), reason);
  }

  /** The closing handshake goes on in the background, however long it takes; nothing more is reported of this connection. */
  terminate(): void {
    this.#isTerminated = true;
    if (this.#socket.readyState < 2) this.#socket.close(TERMINATED, 'terminated');
    queueMicrotask(() => this.#end(1006, ''));
  }
}

/** An application may send 1000 and 3000 to 4999: the codes of the protocol go as 4000 and so on. */
function sendable(code: number): number {
  return code > 1000 && code < 2000 ? code + 3000 : code;
}

function notBytes(): YamuxWebSocketError {
  const message =
    "A message came as a Blob: set binaryType to 'arraybuffer', or make the stream, before the first message can come";
  return new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_FAILED', message, { origin: 'local' });
}

function neverOpened(cause: unknown): YamuxWebSocketError {
  const message =
    'The WebSocket could not be opened: no server there, or it refused the upgrade; check the URL and the credentials';
  return new YamuxWebSocketError('ERR_YAMUX_WEBSOCKET_FAILED', message, { origin: 'remote', cause });
}
