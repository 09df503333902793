// What is measured: a way to carry many streams between two processes over TCP on 127.0.0.1. It knows no case.

/** What a case needs of a stream. Every Duplex is one; what is none gets as thin an adapter as can be. */
export interface ByteStream {
  /** Like Writable's: false asks to wait for 'drain'. */
  write(chunk: Uint8Array): boolean;
  /** No more is written; reading goes on, where the implementation has half-closed streams. */
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

export interface Contender {
  readonly name: string;
  readonly version: string;
  /** What a reader must know to judge the figures. */
  readonly note: string;
}

export interface Ends {
  /** In the server's process. Calls `serve` with each stream that a client opens. */
  listen(serve: (stream: ByteStream) => void): Promise<Listening>;
  /** In the client's process. */
  connect(port: number): Promise<Connection>;
}

export interface Implementation extends Contender, Ends {}

/** One that is no module of Node but an executable, which plays both roles, measures as our cases do, and speaks as child.ts does. */
export interface Program extends Contender {
  readonly executable: string;
}

/** More streams than a case opens at once: what has a limit below is told this one. */
export const MOST_STREAMS = 20_000;
