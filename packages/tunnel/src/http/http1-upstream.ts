// The next hop speaks HTTP/1.1: an origin on a kept-alive connection, or an agent that knows nothing else on its stream. node:http writes the
// request and reads the answer.
import type { ClientRequest, IncomingMessage, InformationEvent, RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import { codeOf, TunnelError, UpstreamError } from '../errors.ts';
import { NO_BODY, PIECES, type RawHeaders, type RequestHead } from '../exchange/block.ts';
import { BodyWriter } from '../exchange/body-writer.ts';
import type { Connection } from './connection.ts';
import { answerBody, hopHeaders, isIdempotent, pairs } from './headers.ts';
import { wasBrokenOff } from './socket-end.ts';
import type { Upstream, UpstreamListener } from './upstream.ts';

/** What an origin may say before its answer, in number. */
export const MAX_INTERIM = 32;

export interface Http1Way {
  /** Begins a request. `isFresh`: on a connection that nobody has used, for what cannot be sent twice. */
  request(options: RequestOptions, isFresh: boolean): ClientRequest;
  /** Whether connections are kept for the next request. */
  readonly keepsAlive: boolean;
  /** Bytes of an answer's head. */
  readonly maxHeaderSize: number;
}

export class Http1Upstream implements Upstream {
  readonly #way: Http1Way;
  readonly #listener: UpstreamListener;
  #head!: RequestHead;
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;
  #writer: BodyWriter | undefined;
  #socket: Connection | undefined;
  #isBodySent = false;
  #isConnected = false;
  #isRepeated = false;
  #interim = 0;
  #endsWithConnection = false;
  #isOver = false;
  #isPausing = false;
  #isHalfClosed = false;

  constructor(way: Http1Way, listener: UpstreamListener) {
    this.#way = way;
    this.#listener = listener;
  }

  send(head: RequestHead): void {
    this.#head = head;
    this.#start(!this.#mayBeRepeated);
  }

  /** On a connection that was kept, a request can meet the end of it: then it is sent once more. */
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
    const { method, target, body } = this.#head;
    const options = {
      method,
      path: target,
      headers: hopHeaders(this.#head, this.#way.keepsAlive && !isFresh),
      maxHeaderSize: this.#way.maxHeaderSize,
    };
    const request = this.#way.request(options, isFresh);
    this.#request = request;
    request.maxHeadersCount = 0; // node:http would leave out what is more than 1000, without a word
    const writer = new BodyWriter(request, false);
    this.#writer = writer;
    request.on('socket', (socket: Connection) => this.#onSocket(socket));
    request.on('information', (event) => this.#onInformation(event));
    request.on('response', (response) => this.#onResponse(response));
    request.on('upgrade', (response, socket, early) => this.#onUpgrade(response, socket, early));
    if (method === 'CONNECT')
      request.on('connect', (response, socket, early) => this.#onUpgrade(response, socket, early));
    request.on('error', (error) => this.#onError(error));
    request.on('drain', () => {
      writer.drained();
      if (!this.#isOver) this.#listener.drain();
    });
    if (body === NO_BODY || body === 0) {
      this.#isBodySent = true;
      request.end();
    } else request.write('', 'latin1'); // the head, byte for byte: flushHeaders() would write it as UTF-8
  }

  write(chunk: Buffer): boolean {
    if (this.#isOver || this.#request?.destroyed !== false) return true;
    return this.#writer?.write(chunk) ?? true;
  }

  endBody(trailers: RawHeaders): void {
    const request = this.#request;
    if (this.#isBodySent || this.#isOver || request === undefined) return;
    this.#isBodySent = true;
    this.#writer?.flush();
    if (trailers.length > 0) request.addTrailers(pairs(trailers));
    request.end();
    if (this.#isHalfClosed) this.#endConnection();
  }

  halfClose(): void {
    this.#isHalfClosed = true;
    if (this.#isBodySent) this.#endConnection();
  }

  #endConnection(): void {
    if (this.#request?.writableFinished === true) this.#socket?.end();
    else this.#request?.once('finish', () => this.#socket?.end());
  }

  pause(): void {
    if (this.#isPausing) return;
    this.#isPausing = true;
    // Once the chunk that is being parsed is through: what comes of it now would wait piece by piece.
    process.nextTick(() => {
      if (this.#isPausing) this.#response?.pause();
    });
  }

  resume(): void {
    this.#isPausing = false;
    this.#response?.resume();
  }

  finish(): void {
    this.#isOver = true;
    if (!this.#isBodySent || this.#request?.writableFinished !== true) this.#request?.destroy();
  }

  abort(): void {
    this.#isOver = true;
    this.#request?.destroy();
  }

  #onSocket(socket: Connection): void {
    this.#socket = socket;
    // node:http writes the head of a request that expects 100 by itself, as text of no encoding: byte for byte it is this one.
    socket.setDefaultEncoding('latin1');
    const isNew = 'connecting' in socket && socket.connecting === true;
    if (isNew) socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => this.#connected());
    else this.#connected();
    if (this.#isHalfClosed && this.#isBodySent) this.#endConnection();
  }

  #connected(): void {
    if (this.#isConnected || this.#isOver) return;
    this.#isConnected = true;
    this.#listener.taken();
  }

  #onInformation({ statusCode, statusMessage, rawHeaders }: InformationEvent): void {
    if (this.#isOver || this.#response !== undefined) return;
    this.#interim += 1;
    if (this.#interim > MAX_INTERIM) {
      this.#fail(new TunnelError('ERR_TUNNEL_TOO_MANY_INTERIM', `expected at most ${MAX_INTERIM} interim answers`));
    } else this.#listener.interim(statusCode, statusMessage, rawHeaders);
  }

  #onResponse(response: IncomingMessage): void {
    if (this.#isOver) {
      response.resume();
      return;
    }
    this.#response = response;
    response.on('error', (error) => this.#onError(error));
    const status = response.statusCode ?? 0;
    let body: number;
    try {
      if (status === 101) throw new TunnelError('ERR_TUNNEL_UNEXPECTED_UPGRADE', 'the answer was 101');
      if (status < 200)
        throw new TunnelError('ERR_TUNNEL_BAD_ANSWER', `expected a status from 200 to 999, got ${status}`);
      body = answerBody(response, this.#head.method);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    const { headers } = response;
    this.#endsWithConnection = body === PIECES && headers['transfer-encoding'] === undefined;
    response.on('data', (chunk: Buffer) => {
      if (!this.#isOver) this.#listener.data(chunk);
    });
    response.on('end', () => this.#onEnd(response));
    this.#listener.answer({ status, reason: response.statusMessage ?? '', body, headers: response.rawHeaders });
  }

  #onEnd(response: IncomingMessage): void {
    if (this.#isOver) return;
    const isCut = this.#endsWithConnection && this.#socket !== undefined && wasBrokenOff(this.#socket);
    if (!response.complete || isCut) this.#fail(lost());
    else {
      this.#isOver = true;
      this.#listener.end(response.rawTrailers);
    }
  }

  #onUpgrade(response: IncomingMessage, socket: Duplex, early: Buffer): void {
    const status = response.statusCode ?? 0;
    const isAsked = this.#head.method === 'CONNECT' ? status === 200 : this.#head.upgrade !== '';
    if (this.#isOver || this.#response !== undefined || !isAsked) {
      socket.destroy();
      const code = status === 101 ? 'ERR_TUNNEL_UNEXPECTED_UPGRADE' : 'ERR_TUNNEL_CONNECT_REFUSED';
      this.#fail(new TunnelError(code, `the answer was ${status}`));
      return;
    }
    this.#isOver = true;
    const { statusMessage = '', rawHeaders } = response;
    this.#listener.switched({ status, reason: statusMessage, headers: rawHeaders }, socket as Connection, early);
  }

  #onError(error: Error): void {
    // An answer that is whole stays so, whatever follows it on its connection.
    if (this.#isOver || this.#response?.complete === true) return;
    const isStale = this.#request?.reusedSocket === true && this.#response === undefined && this.#interim === 0;
    if (isStale && !this.#isRepeated && this.#mayBeRepeated) {
      this.#isRepeated = true;
      this.#socket = undefined;
      this.#start(true);
      return;
    }
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.abort();
    this.#listener.failed(
      new UpstreamError(codeOf(error, 'ERR_TUNNEL_TARGET_FAILED'), error.message, !this.#isConnected, error),
    );
  }
}

/** NTLM and Negotiate log a connection in, not a request: nobody else may get it afterwards. */
function bindsConnection(headers: RawHeaders): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.length === 13 && name.toLowerCase() === 'authorization')
      return /^(ntlm|negotiate)\b/i.test(headers[index + 1] as string);
  }
  return false;
}

function lost(): TunnelError {
  return new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the connection was lost in the middle of the answer');
}
