// The port: all that a byte stream needs of a message connection. A driver for another runtime or library implements it.

/** A received binary message, whole. An array is one message in pieces. */
export type MessageData = Uint8Array | ArrayBuffer | readonly Uint8Array[];

/** Where a driver reports to. Nothing is reported before `attach()` returns. */
export interface MessageListener {
  /** The connection is open; not called where it was so at `attach()`. */
  onOpen(): void;
  /** One binary message, whole. */
  onMessage(data: MessageData): void;
  /** The peer sent a text message. */
  onText(): void;
  /** The peer sent a ping or a pong. */
  onLife?(): void;
  /** Something failed. `onClose` follows. */
  onError(error: Error): void;
  /** Exactly once, last, also after `terminate()`. Code 1005: a close frame without a code; 1006: no close frame at all. */
  onClose(code: number, reason: string): void;
}

/** A connection that carries whole binary messages, in order, and ends with a code. */
export interface MessageSocket {
  /** Where the connection is in its life, as in the WebSocket standard. */
  readonly state: 'connecting' | 'open' | 'closing' | 'closed';
  /** Bytes handed to `send()` that have not left the process. */
  readonly bufferedAmount: number;
  /**
   * A figure that becomes less with every byte that leaves the process, where `bufferedAmount` does so only by whole messages: on a slow link
   * one may take minutes. Without one `bufferedAmount` is taken for it.
   */
  readonly backlog?: number | undefined;
  /** Called once. From its return on, every message is reported, those of a paused or still connecting socket too. */
  attach(listener: MessageListener): void;
  /**
   * Queues one binary message. `sent` is called once: when the message was taken by the system (or, where that cannot
   * be known, accepted: then `bufferedAmount` must tell), or with the error. `message` must not be changed until then.
   */
  send(message: Uint8Array, sent: (error?: Error | null) => void): void;
  /** Starts the closing handshake behind what was sent. `reason` has at most 123 bytes of UTF-8. */
  close(code: number, reason: string): void;
  /** Ends the connection now, without a handshake. */
  terminate(): void;
  /** Stops reporting messages, where the connection can. */
  pause?(): void;
  /** Undoes `pause()`. */
  resume?(): void;
  /** Asks the peer for a sign of life, where the connection can: any answer is reported by `onLife()`. */
  ping?(): void;
}
