// One connection of a public client. Its requests are served one after the other, however many it sends at once, and whatever it asks for:
// node:http tells of each as soon as it has come, and of an upgrade while the answer before it is still being written. Who leaves ends
// all that waits.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerError } from '../http/error-response.ts';
import { type UpgradeRequest, upgradeResponse } from '../http/upgrade-response.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { discard, lingersAtClose } from './lingering.ts';
import { PublicExchange } from './public-exchange.ts';
import { ignoresUpgrade, putBack } from './without-upgrade.ts';

/** What a connection needs of its gateway. */
export interface ConnectionHost {
  readonly context: ExchangeContext;
  /** Requests of one connection that wait for the one before them. */
  readonly maxPipelined: number;
  readonly isClosing: boolean;
  /** Connections that have had their last answer. */
  readonly lingering: Set<Socket>;
  began(exchange: PublicExchange): void;
  ended(exchange: PublicExchange): void;
  /** Takes a WebSocket of an agent. False: this path is none of theirs here. */
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
  /** Nothing that it says is listened to any more. */
  #isFull = false;

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    lingersAtClose(socket, host.lingering);
    socket.on('error', () => {}); // node:http takes its own listener away with an upgrade; 'close' follows
    socket.on('end', () => {
      if (this.#current?.joined !== undefined) return; // join() sees to it
      this.#isEnded = true;
      // A reset behind the last bytes looks like an end. It fails the next write, and be it one of nothing.
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
    // The parser has let go of the connection, and with it of what an answer under way waits for.
    this.#socket.on('drain', this.#onDrain);
    if (!this.#isFull) this.#take({ kind, request, head });
  }

  /** What came is not HTTP, or does not come in time. `status`: a status line's end. */
  failed(status: string): void {
    if (this.#isFull) return;
    const current = this.#current;
    if (current !== undefined && !current.request.complete) {
      // It is in the middle of this very request.
      if (current.response.headersSent) this.#socket.destroy();
      else {
        this.#stopListening();
        this.#fail(status);
        current.clientLeft(); // for whatever it asks, it is answered
      }
      return;
    }
    // In the middle of a request that waits: what has come of it never ends, and whatever waited behind it would wait for ever.
    const last = this.#waiting.at(-1);
    if (last?.kind === 'request' && !last.request.complete) this.#waiting.pop();
    this.#take({ kind: 'failure', status });
    this.#stopListening();
  }

  /** What still comes is read, so that the end of the connection is seen, and forgotten. */
  #stopListening(): void {
    this.#isFull = true;
    discard(this.#socket);
  }

  #take(waiting: Waiting): void {
    if (this.#current === undefined && this.#waiting.length === 0) this.#serve(waiting);
    else if (this.#waiting.length < this.#host.maxPipelined) this.#waiting.push(waiting);
    else {
      // A client that pipelines must expect that its connection closes before all is answered (RFC 9112 §9.3.2).
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
    // After node:http's own listener, which gives the connection to the next response.
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
 * An HTTP/1.0 client that does not ask to keep its connection may wait for its end. node:http would keep it for Proxy-Connection, too, which a
 * proxy that does not know that field passes on (RFC 9112 C.2.2). And where it names a transfer coding, its framing is faulty: nothing behind it
 * is believed (RFC 9112 §6.1).
 */
function isLast({ httpVersion, headers }: IncomingMessage): boolean {
  if (httpVersion !== '1.0') return false;
  return headers['transfer-encoding'] !== undefined || !/(^|,)\s*keep-alive\s*(,|$)/i.test(headers.connection ?? '');
}
