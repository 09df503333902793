// HTTP over streams: an http.Agent that asks for streams instead of connecting. The only file that knows node:http.

import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';

/** Whatever opens streams: a YamuxSession, or a SessionPool of `@zishuo/yamux-balancer`. */
export interface StreamSource {
  /** A new stream. */
  open(): Promise<Duplex>;
}

/**
 * An agent for `http.request()` and whatever takes one, whose connections are streams of `source`. On the other side,
 * `httpServer.emit('connection', stream)` serves them.
 *
 * Unless `keepAlive` is set each request has a stream of its own: streams cost little, and a pool can count and balance requests.
 */
export function httpAgent(source: StreamSource, options?: AgentOptions): Agent {
  return new StreamAgent(source, options);
}

class StreamAgent extends Agent {
  readonly #source: StreamSource;

  constructor(source: StreamSource, options?: AgentOptions) {
    super(options);
    this.#source = source;
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    // node:http always passes it, and takes an error without a stream.
    const done = callback as (error: Error | null, stream?: Duplex) => void;
    this.#source.open().then(
      (stream) => done(null, stream),
      (error: Error) => done(error),
    );
  }
}
