// HTTP requests over streams: an http.Agent that opens streams instead of connecting.

import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SocketShape } from '../duplex/socket-shape.ts';
import { AwaitedSocket } from './awaited-socket.ts';
import { isDuplex, typeName } from './shapes.ts';

/** A source of streams. */
export type StreamSource =
  /** A YamuxSession, which returns a stream at once. */
  | { connect(options: { allowHalfOpen: boolean }): Duplex }
  /** A SessionPool of `@zishuo/yamux-balancer`. */
  | { openStream(routing: undefined, options: { signal: AbortSignal }): Promise<{ readonly stream: Duplex }> }
  /** Any other object that opens a stream, and stops trying when the signal aborts. */
  | { open(options: { signal: AbortSignal }): Promise<Duplex> };

/** The options of a request, as passed to `http.request()`. */
export interface RequestToOpen extends ClientRequestArgs {
  /** `'http:'` or `'https:'`. */
  readonly protocol: string;
  /** Aborts when the request ends before it has its stream. */
  readonly signal: AbortSignal;
}

/** Returns the source for the stream of a request, or opens the stream itself. */
export type SourceOfRequest = (request: RequestToOpen) => StreamSource | Duplex | Promise<StreamSource | Duplex>;

/**
 * An agent for `http.request()`, `https.request()` and all code that accepts an http.Agent. Its connections are streams of `source`: a session, a
 * pool, or a function of the request. `agentOptions` are those of http.Agent, for https also those of tls.connect(), with the same effect as over
 * TCP. The other side serves the requests with `serveHttp()`.
 *
 * Without `keepAlive` each request has its own stream: streams are cheap, and a pool can count and balance requests.
 *
 * A request gets its socket at once, before the stream is open. So a timeout, an abort and destroy() work, and cancel the call of `open()`. If no
 * stream can be opened, the request emits 'error' with the reason.
 *
 * @throws {TypeError} if `source` is none of these.
 */
export function httpAgent(source: StreamSource | SourceOfRequest, agentOptions?: AgentOptions): Agent {
  if (typeof source !== 'function' && !isSource(source)) {
    throw new TypeError(
      `Expected source to be a session, a pool or a function of the request, got ${typeName(source)}`,
    );
  }
  return new StreamAgent(source, agentOptions);
}

class StreamAgent extends Agent {
  readonly #source: StreamSource | SourceOfRequest;
  /** For https: knows which connections may be shared, and the TLS sessions to resume. */
  readonly #secure: SecureAgent;
  /** Undefined: node:http and node:https both accept an agent without a protocol. */
  readonly protocol: undefined;

  constructor(source: StreamSource | SourceOfRequest, options?: AgentOptions) {
    super(options);
    this.#source = source;
    this.#secure = new SecureAgent(options);
    this.protocol = undefined;
  }

  override getName(options?: ClientRequestArgs): string {
    return options && isSecure(options) ? this.#secure.getName(options) : super.getName(options);
  }

  /** http.Agent counts and dequeues only sockets that this returns at once. So this never fails: the socket emits the error. */
  override createConnection(options: ClientRequestArgs): Duplex {
    const plain = this.#open(options);
    const socket = isSecure(options) ? this.#secure.createConnection({ ...options, socket: plain } as object) : plain;
    // net.connect() does the same for TCP sockets.
    if (options.timeout) (socket as SocketShape).setTimeout(options.timeout);
    return socket as Duplex;
  }

  #open(options: ClientRequestArgs): Duplex {
    const source = this.#source;
    const opening = new AbortController();
    const { signal } = opening;
    try {
      const protocol = isSecure(options) ? 'https:' : 'http:';
      const found = typeof source === 'function' ? source({ ...options, protocol, signal }) : source;
      const stream = found instanceof Promise ? found.then((later) => openOn(later, signal)) : openOn(found, signal);
      if (isSocket(stream) && !stream.destroyed) return stream;
      // A stream that has ended already would emit its error before the request can listen.
      if (isDuplex(stream)) stream.on('error', () => {});
      return new AwaitedSocket(Promise.resolve(stream), opening);
    } catch (error) {
      return new AwaitedSocket(Promise.reject(error), opening);
    }
  }
}

function openOn(found: StreamSource | Duplex, signal: AbortSignal): Duplex | Promise<Duplex> {
  // A net.Socket also has connect().
  if (isDuplex(found)) return found;
  if (!isSource(found))
    throw new TypeError(`Expected a session, a pool or a Duplex for the request, got ${typeName(found)}`);
  if ('connect' in found) return found.connect({ allowHalfOpen: false });
  const opened =
    'openStream' in found ? found.openStream(undefined, { signal }).then(streamOf) : found.open({ signal });
  return opened.then(checked);
}

function streamOf({ stream }: { readonly stream: Duplex }): Duplex {
  return stream;
}

function checked(stream: unknown): Duplex {
  if (isDuplex(stream)) return stream;
  throw new TypeError(`Expected open() to resolve to a Duplex, got ${typeName(stream)}`);
}

function isSource(source: unknown): source is StreamSource {
  const { connect, openStream, open } = Object(source) as Record<string, unknown>;
  return [connect, openStream, open].some((way) => typeof way === 'function');
}

/** Whether node:http can use the stream without a wrapper. */
function isSocket(stream: Duplex | Promise<Duplex>): stream is SocketShape {
  return isDuplex(stream) && 'setTimeout' in stream && 'destroySoon' in stream;
}

/** https.request() sets `_defaultAgent`; that identifies its requests. */
function isSecure({ protocol, _defaultAgent }: ClientRequestArgs): boolean {
  const { protocol: own } = Object(_defaultAgent) as { protocol?: string };
  return (protocol ?? own) === 'https:';
}
