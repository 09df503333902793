// An upstream that speaks HTTP/1.1: an origin, on a connection that may be kept alive, or an agent without blocks, on its stream.
import { codeOf, TunnelError, UpstreamError } from '../errors.ts';
import { type AnswerHead, NO_BODY, PIECES, type RawHeaders, type RequestHead } from '../exchange/block.ts';
import { BodyWriter } from '../exchange/body-writer.ts';
import { hopHeaders, isIdempotent, lastChunk, requestLines } from './headers.ts';
import type { ExchangeListener, Http1Connection } from './http1-connection.ts';
import type { Upstream, UpstreamListener } from './upstream.ts';

/** The limit of interim responses before a response. */
export const MAX_INTERIM = 32;
/** Bytes of the head of an answer of an agent's target. What the gateway takes may be less. */
export const MAX_ANSWER_HEAD: number = 512 * 1024;

export interface Http1Way {
  /** Whether connections are kept for the next request. */
  readonly keepsAlive: boolean;
  /** One that nobody has. `isFresh`: that nobody has used, for what cannot be sent twice. */
  connect(isFresh: boolean): Http1Connection;
  /** The connection may carry another request. */
  keep(connection: Http1Connection): void;
}

export class Http1Upstream implements Upstream, ExchangeListener {
  readonly #way: Http1Way;
  readonly #listener: UpstreamListener;
  #head!: RequestHead;
  #connection!: Http1Connection;
  #writer: BodyWriter | undefined;
  #isFresh = false;
  #isBodySent = false;
  #isConnected = false;
  #isAnswered = false;
  #isRepeated = false;
  #interim = 0;
  #isOver = false;
  #isHalfClosed = false;

  constructor(way: Http1Way, listener: UpstreamListener) {
    this.#way = way;
    this.#listener = listener;
  }

  send(head: RequestHead): void {
    this.#head = head;
    this.#start(!this.#mayBeRepeated);
  }

  /** A request on a reused connection can meet its end; then it is sent once more. */
  get #mayBeRepeated(): boolean {
    const { method, body, upgrade, headers } = this.#head;
    return (
      this.#way.keepsAlive &&
      body <= 0 &&
      body !== PIECES &&
      upgrade === '' &&
      isIdempotent(method) &&
      !bindsConnection(headers)
    );
  }

  #start(isFresh: boolean): void {
    const { method, target, body, upgrade } = this.#head;
    const lines = requestLines(method, target, hopHeaders(this.#head, this.#way.keepsAlive && !isFresh));
    this.#isFresh = isFresh;
    const connection = this.#way.connect(isFresh);
    const { socket } = connection;
    this.#connection = connection;
    connection.begin({ method, isUpgrade: upgrade !== '' }, this);
    this.#isBodySent = body === NO_BODY || body === 0;
    if (!this.#isBodySent) {
      this.#writer = new BodyWriter(socket, body === PIECES ? 'chunks' : 'none');
      socket.cork(); // together with the bytes of the body that have arrived already
      process.nextTick(() => socket.uncork());
    }
    socket.write(lines, 'latin1');
    if (connection.isConnected) {
      this.#isConnected = true;
      process.nextTick(() => this.#tellTaken());
    }
    if (this.#isHalfClosed && this.#isBodySent) socket.end();
  }

  write(chunk: Buffer): boolean {
    if (this.#isOver || this.#connection.socket.destroyed) return true;
    return this.#writer?.write(chunk) ?? true;
  }

  endBody(trailers: RawHeaders): void {
    if (this.#isBodySent || this.#isOver) return;
    const { socket } = this.#connection;
    const last = this.#head.body === PIECES ? lastChunk(trailers) : '';
    this.#isBodySent = true;
    this.#writer?.flush();
    if (socket.destroyed) return;
    if (last !== '') socket.write(last, 'latin1');
    if (this.#isHalfClosed) socket.end();
  }

  halfClose(): void {
    this.#isHalfClosed = true;
    if (this.#isBodySent && !this.#isOver) this.#connection.socket.end();
  }

  pause(): void {
    if (!this.#isOver) this.#connection.socket.pause();
  }

  resume(): void {
    if (!this.#isOver) this.#connection.socket.resume();
  }

  finish(): void {
    this.abort();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection.destroy();
  }

  onConnected(): void {
    this.#isConnected = true;
    this.#tellTaken();
  }

  #tellTaken(): void {
    if (!this.#isOver) this.#listener.taken();
  }

  onInterim(status: number, reason: string, headers: RawHeaders): void {
    this.#interim += 1;
    if (this.#interim > MAX_INTERIM) {
      throw new TunnelError('ERR_TUNNEL_TOO_MANY_INTERIM', `expected at most ${MAX_INTERIM} interim answers`);
    }
    this.#listener.interim(status, reason, headers);
  }

  onAnswer(head: AnswerHead): void {
    if (this.#head.method === 'CONNECT') {
      throw new TunnelError('ERR_TUNNEL_CONNECT_REFUSED', `the answer was ${head.status}`);
    }
    this.#isAnswered = true;
    this.#listener.answer(head);
  }

  onBody(bytes: Buffer): void {
    if (!this.#isOver) this.#listener.data(bytes);
  }

  onWhole(trailers: RawHeaders): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#letGo();
    this.#listener.end(trailers);
  }

  /** The response is complete. An incomplete request is not sent further. */
  #letGo(): void {
    const connection = this.#connection;
    const { socket } = connection;
    if (!this.#isBodySent) connection.destroy();
    else if (this.#way.keepsAlive && !this.#isFresh && !this.#isHalfClosed && connection.isPersistent) {
      socket.resume();
      this.#way.keep(connection);
    } else socket.destroySoon();
  }

  onSwitch(head: Omit<AnswerHead, 'body'>, early: Buffer): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.switched(head, this.#connection.socket, early);
  }

  onDrain(): void {
    this.#writer?.drained();
    if (!this.#isOver) this.#listener.drain();
  }

  onLost(error: Error | undefined): void {
    if (this.#isOver) return;
    if (this.#connection.isStale && !this.#isRepeated && this.#mayBeRepeated) {
      this.#isRepeated = true;
      this.#isConnected = false;
      this.#start(true);
      return;
    }
    this.#isOver = true;
    this.#connection.destroy();
    const [code, message] =
      error === undefined ? this.#ending : [codeOf(error, 'ERR_TUNNEL_TARGET_FAILED'), error.message];
    this.#listener.failed(new UpstreamError(code, message, !this.#isConnected, error));
  }

  get #ending(): readonly [string, string] {
    return this.#isAnswered
      ? ['ERR_TUNNEL_CONNECTION_LOST', 'the connection was lost in the middle of the answer']
      : ['ECONNRESET', 'the connection ended before the answer'];
  }
}

/** NTLM and Negotiate authenticate a connection, not a request, so it must not be reused for other clients. */
function bindsConnection(headers: RawHeaders): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.length === 13 && name.toLowerCase() === 'authorization')
      return /^(ntlm|negotiate)\b/i.test(headers[index + 1] as string);
  }
  return false;
}
