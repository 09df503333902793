// The interface between a byte stream and a message connection. Implement it to support another runtime or WebSocket library.

/** A whole binary message that was received. An array is one message in pieces. */
export type MessageData = Uint8Array | ArrayBuffer | readonly Uint8Array[];

/** A driver calls these methods. It calls none before `attach()` returns. */
export interface MessageListener {
  /** The connection is open. Not called if it was open at `attach()`. */
  onOpen(): void;
  /** A whole binary message came. */
  onMessage(data: MessageData): void;
  /** The peer sent a text message. */
  onText(): void;
  /** The peer sent a ping or a pong. */
  onLife?(): void;
  /** The connection failed. `onClose` follows. */
  onError(error: Error): void;
  /** Called exactly once, as the last one, also after `terminate()`. Code 1005: a close frame without a code; 1006: no close frame. */
  onClose(code: number, reason: string): void;
}

const STATES = ['connecting', 'open', 'closing', 'closed'] as const;

/** The state for a `readyState` of the WebSocket standard, which `ws` has too. */
export function stateOfReadyState(readyState: number): MessageSocket['state'] {
  return STATES[readyState] ?? 'closed';
}

/** A connection that carries whole binary messages, in order, and ends with a code. */
export interface MessageSocket {
  /** The state of the connection, as in the WebSocket standard. */
  readonly state: 'connecting' | 'open' | 'closing' | 'closed';
  /** How many bytes given to `send()` have not left the process. */
  readonly bufferedAmount: number;
  /**
   * Like `bufferedAmount`, but it falls with every byte that leaves the process. Implement it where `bufferedAmount` falls only by whole
   * messages: on a slow link one message may take minutes. Without it `bufferedAmount` is used.
   */
  readonly backlog?: number | undefined;
  /** Called once. After it returns, the driver reports every message, also if the socket was paused or is still connecting. */
  attach(listener: MessageListener): void;
  /**
   * Queues one binary message. Call `sent` once: when the operating system has taken the message, or with the error. If the driver cannot know
   * that, call it when the message is queued, and let `bufferedAmount` tell the rest. Nobody changes `message` until then.
   */
  send(message: Uint8Array, sent: (error?: Error | null) => void): void;
  /** Starts the closing handshake after all queued messages. `reason` has at most 123 bytes of UTF-8. */
  close(code: number, reason: string): void;
  /** Ends the connection at once, without a closing handshake. */
  terminate(): void;
  /** Stops reporting messages. Leave it out if the connection cannot pause. */
  pause?(): void;
  /** Reports messages again after `pause()`. */
  resume?(): void;
  /** Sends a ping; report the answer with `onLife()`. Leave it out if the connection cannot send pings. */
  ping?(): void;
}
