// An implementation: a way to carry many streams between two processes over TCP on 127.0.0.1. It knows no case.

/** The members of a stream that a case needs. Every Duplex has them; other streams get a thin adapter. */
export interface ByteStream {
  /** Like Writable.write(): false means to wait for 'drain'. */
  write(chunk: Uint8Array): boolean;
  /** Ends writing. Reading continues, if the implementation has half-closed streams. */
  end(): unknown;
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  /** 'end': the peer ended cleanly. 'close': the stream has ended, cleanly or not. An error without a listener ends the process. */
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
  /** Notes for readers of the figures. */
  readonly note: string;
}

export interface Ends {
  /** Runs in the server's process. Calls `serve` with each stream that a client opens. */
  listen(serve: (stream: ByteStream) => void): Promise<Listening>;
  /** Runs in the client's process. */
  connect(port: number): Promise<Connection>;
}

export interface Implementation extends Contender, Ends {}

/** An implementation that is an executable. It plays both roles, measures the same cases, and uses the messages of child.ts. */
export interface Program extends Contender {
  readonly executable: string;
}

/** More streams than any case opens at once, for implementations with a lower default limit. */
export const MOST_STREAMS = 20_000;
