// What is measured: a way to carry many streams between two processes over TCP on 127.0.0.1. It knows no case.

/** What a case needs of a stream. Every Duplex is one; what is none gets as thin an adapter as can be. */
export interface ByteStream {
  /** Like Writable's: false asks to wait for 'drain'. */
  write(chunk: Uint8Array): boolean;
  /** No more is written; reading goes on. */
  end(): unknown;
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  /** 'end': the peer ended cleanly. 'close': it is all over, cleanly or not. An error that nobody listens to ends the process. */
  on(event: 'drain' | 'end' | 'close', listener: () => void): unknown;
}

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

export interface Connection {
  open(): Promise<ByteStream>;
  close(): Promise<void>;
}

export interface Implementation {
  readonly name: string;
  readonly version: string;
  /** What a reader must know to judge the figures. */
  readonly note: string;
  /** In the server's process. Calls `serve` with each stream that a client opens. */
  listen(serve: (stream: ByteStream) => void): Promise<Listening>;
  /** In the client's process. */
  connect(port: number): Promise<Connection>;
}
