// One connection of a public client. Its requests are served one after the other, however many the client pipelines: node:http emits each request as
// soon as it has come, and an upgrade even while the response before it is being written. If the client leaves, all waiting requests end.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerError } from '../http/error-response.ts';
import { type UpgradeRequest, upgradeResponse } from '../http/upgrade-response.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { discard, lingersAtClose } from './lingering.ts';
import { PublicExchange } from './public-exchange.ts';
import { ignoresUpgrade, putBack } from './without-upgrade.ts';

/** The interface of the gateway for a connection. */
export interface ConnectionHost {
  readonly context: ExchangeContext;
  /** Requests of one connection that wait for the one before them. */
  readonly maxPipelined: number;
  readonly isClosing: boolean;
  /** Connections that have had their last answer. */
  readonly lingering: Set<Socket>;
  began(exchange: PublicExchange): void;
  ended(exchange: PublicExchange): void;
  /** Accepts a WebSocket of an agent. False if the path is not for agents. */
  acceptAgent(request: IncomingMessage, upgrade: UpgradeRequest): boolean;
  /** Parses what the connection says from its beginning. */
  parse(socket: Socket): void;
}

const NOTHING = Buffer.alloc(0);

type Waiting =
  | { readonly kind: 'request'; readonly request: IncomingMessage; readonly response: ServerResponse }
  | { readonly kind: 'upgrade' | 'connect'; readonly request: IncomingMessage; readonly head: Buffer }
  | { readonly kind: 'failure'; readonly status: string };

export class ClientConnection {
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  #current: PublicExchange | undefined;
  readonly #waiting: Waiting[] = [];
  /** It has ended its side. */
  #isEnded = false;
  /** Its input is ignored from now on. */
  #isFull = false;

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    lingersAtClose(socket, host.lingering);
    socket.on('error', () => {}); // node:http removes its own listener after an upgrade; 'close' follows
    socket.on('end', () => {
      if (this.#current?.joined !== undefined) return; // join() handles it
      this.#isEnded = true;
      // A reset right after the last bytes looks like an end. It makes the next write fail, even an empty one.
      if (socket.writable && !('encrypted' in socket)) socket.write(NOTHING);
      if (this.#waiting.length === 0) this.#current?.clientEnded();
    });
    socket.on('close', () => {
      this.#waiting.length = 0;
      this.#current?.clientLeft();
    });
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#isFull) this.#take({ kind: 'request', request, response });
  }

  upgrade(kind: 'upgrade' | 'connect', request: IncomingMessage, head: Buffer): void {
    // The parser has detached from the connection, and no longer emits the events that a response in progress waits for.
    this.#socket.on('drain', this.#onDrain);
    if (!this.#isFull) this.#take({ kind, request, head });
  }

  /** The input is not HTTP, or does not come in time. `status`: the end of a status line. */
  failed(status: string): void {
    if (this.#isFull) return;
    const current = this.#current;
    if (current !== undefined && !current.request.complete) {
      // The error is in the middle of the current request.
      if (current.response.headersSent) this.#socket.destroy();
      else {
        this.#stopListening();
        this.#fail(status);
        current.clientLeft(); // the error response ends all its requests
      }
      return;
    }
    // The error is in the middle of a waiting request. Its body never ends, and the requests behind it would wait for ever.
    const last = this.#waiting.at(-1);
    if (last?.kind === 'request' && !last.request.complete) this.#waiting.pop();
    this.#take({ kind: 'failure', status });
    this.#stopListening();
  }

  /** The remaining input is read and dropped, so that the end of the connection is noticed. */
  #stopListening(): void {
    this.#isFull = true;
    discard(this.#socket);
  }

  #take(waiting: Waiting): void {
    if (this.#current === undefined && this.#waiting.length === 0) this.#serve(waiting);
    else if (this.#waiting.length < this.#host.maxPipelined) this.#waiting.push(waiting);
    else {
      // A client that pipelines must expect that the connection closes before all responses (RFC 9112 §9.3.2).
      this.#stopListening();
      const last = this.#waiting.at(-1);
      if (last?.kind === 'request') last.response.shouldKeepAlive = false;
    }
  }

  #serve(waiting: Waiting): void {
    switch (waiting.kind) {
      case 'request':
        this.#begin(waiting.request, waiting.response, undefined);
        return;
      case 'failure':
        this.#fail(waiting.status);
        return;
      case 'connect': {
        const message = 'This is no proxy: CONNECT is not served';
        const response = upgradeResponse(waiting.request, { socket: this.#socket, head: waiting.head });
        answerError(response, { status: 405, code: 'ERR_TUNNEL_BAD_REQUEST', message });
        return;
      }
      case 'upgrade': {
        const { request, head } = waiting;
        const upgrade = { socket: this.#socket, head };
        if (this.#host.acceptAgent(request, upgrade)) return;
        if (ignoresUpgrade(request)) {
          this.#socket.off('drain', this.#onDrain);
          putBack(request, upgrade);
          this.#host.parse(this.#socket);
        } else this.#begin(request, upgradeResponse(request, upgrade), upgrade);
      }
    }
  }

  #begin(request: IncomingMessage, response: ServerResponse, upgrade: UpgradeRequest | undefined): void {
    if (this.#host.isClosing || isLast(request)) response.shouldKeepAlive = false;
    const exchange = new PublicExchange(request, response, this.#host.context, this.#onDone, upgrade);
    this.#current = exchange;
    this.#host.began(exchange);
    // After node:http's own listener, which assigns the connection to the next response.
    response.on('finish', this.#onFinish);
    exchange.begin();
    if (this.#isEnded && this.#waiting.length === 0) exchange.clientEnded();
  }

  readonly #onDrain = (): void => {
    this.#current?.response.emit('drain');
  };

  readonly #onDone = (exchange: PublicExchange): void => this.#host.ended(exchange);

  readonly #onFinish = (): void => {
    this.#current = undefined;
    const next = this.#waiting.shift();
    if (next !== undefined && !this.#socket.destroyed && this.#socket.writable) this.#serve(next);
  };

  #fail(status: string): void {
    const socket = this.#socket;
    if (socket.destroyed || !socket.writable) socket.destroy();
    else {
      socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
      socket.destroySoon();
    }
  }
}

/**
 * An HTTP/1.0 client that does not ask for a persistent connection may wait for its end. node:http would keep the connection also for Proxy-Connection,
 * which a proxy that does not know the field passes on (RFC 9112 C.2.2). A transfer coding in HTTP/1.0 is faulty framing, so nothing after it is
 * trusted (RFC 9112 §6.1).
 */
function isLast({ httpVersion, headers }: IncomingMessage): boolean {
  if (httpVersion !== '1.0') return false;
  return headers['transfer-encoding'] !== undefined || !/(^|,)\s*keep-alive\s*(,|$)/i.test(headers.connection ?? '');
}
