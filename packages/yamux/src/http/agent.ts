// HTTP requests over streams: an http.Agent that opens streams instead of connecting.

import { Agent, type AgentOptions, type ClientRequestArgs } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SocketShape } from '../duplex/socket-shape.ts';
import { AwaitedSocket } from './awaited-socket.ts';
import { isDuplex, typeName } from './shapes.ts';

/** Whatever opens streams. */
export type StreamSource =
  /** A YamuxSession: a stream at once. */
  | { connect(options: { allowHalfOpen: boolean }): Duplex }
  /** A SessionPool of `@zishuo/yamux-balancer`. */
  | { openStream(routing: undefined, options: { signal: AbortSignal }): Promise<{ readonly stream: Duplex }> }
  /** Anything else that opens a stream, and gives up at the signal. */
  | { open(options: { signal: AbortSignal }): Promise<Duplex> };

/** What a request was made with, as `http.request()` takes it. */
export interface RequestToOpen extends ClientRequestArgs {
  /** `'http:'` or `'https:'`. */
  readonly protocol: string;
  /** Aborts when the request is given up before it has its stream. */
  readonly signal: AbortSignal;
}

/** Says where the stream of a request is to be opened, or opens it. */
export type SourceOfRequest = (request: RequestToOpen) => StreamSource | Duplex | Promise<StreamSource | Duplex>;

/**
 * An agent for `http.request()`, `https.request()` and whatever takes one, whose connections are streams of `source`: a session, a pool, or
 * a function of the request. `agentOptions` are those of an http.Agent, for https with those of tls.connect(), and do what they do over TCP.
 * On the other side `serveHttp()` answers.
 *
 * Unless `keepAlive` is set each request has a stream of its own: streams cost little, and a pool can count and balance requests.
 *
 * A request has its socket at once, also while the stream is still to be opened: it can be timed out, aborted and destroyed, which takes the
 * call of `open()` back. Where no stream can be opened, the request emits 'error' with the reason.
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
  /** Knows of TLS which connections may be shared, and the sessions to resume. */
  readonly #secure: SecureAgent;
  /** None: node:http and node:https both take an agent that does not say which it is for. */
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

  /** http.Agent counts, times and dequeues only what this returns at once: so it never fails, the socket does. */
  override createConnection(options: ClientRequestArgs): Duplex {
    const plain = this.#open(options);
    const socket = isSecure(options) ? this.#secure.createConnection({ ...options, socket: plain } as object) : plain;
    // net.connect() does it for those of TCP.
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
      // One that is over already would emit its error before the request can listen.
      if (isDuplex(stream)) stream.on('error', () => {});
      return new AwaitedSocket(Promise.resolve(stream), opening);
    } catch (error) {
      return new AwaitedSocket(Promise.reject(error), opening);
    }
  }
}

function openOn(found: StreamSource | Duplex, signal: AbortSignal): Duplex | Promise<Duplex> {
  // A net.Socket has a connect(), too.
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

/** Whether node:http can use it as it is. */
function isSocket(stream: Duplex | Promise<Duplex>): stream is SocketShape {
  return isDuplex(stream) && 'setTimeout' in stream && 'destroySoon' in stream;
}

/** `_defaultAgent` is how https.request() says that it was called. */
function isSecure({ protocol, _defaultAgent }: ClientRequestArgs): boolean {
  const { protocol: own } = Object(_defaultAgent) as { protocol?: string };
  return (protocol ?? own) === 'https:';
}
