// The response to a public client: passes the upstream's response on to a response of node:http, which frames it for this client.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnswerHead, NO_BODY, PIECES, type RawHeaders } from '../exchange/block.ts';
import { BodyWriter } from '../exchange/body-writer.ts';
import { reset } from '../http/connection.ts';
import { answerError, type ErrorAnswer } from '../http/error-response.ts';
import { answerHeaders, endToEnd, isFieldText, pairs, statusLines, trailersOf } from '../http/headers.ts';
import { awaitRest } from './lingering.ts';

/** A complete body of at most this many bytes is written together with its head. */
const SMALL_BODY = 4_096;

const keepAll = (): boolean => false;

export class ClientAnswer {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #writer: BodyWriter;
  #head: AnswerHead | undefined;
  /** The head is with node:http, and has not been written: the whole of a small body may come behind it. */
  #isHeadHeld = false;
  #whole: Buffer | undefined;
  #written = 0;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    this.#writer = new BodyWriter(response, 'none');
  }

  get isBegun(): boolean {
    return this.#response.headersSent;
  }

  get #takesChunks(): boolean {
    return this.#request.httpVersionMajor > 1 || this.#request.httpVersionMinor >= 1;
  }

  /** @throws TunnelError for what HTTP cannot carry. */
  interim(status: number, reason: string, headers: RawHeaders): void {
    const { socket } = this.#response;
    if (this.isBegun || !this.#takesChunks || socket === null) return;
    socket.write(statusLines(status, reason, endToEnd(headers, keepAll)));
  }

  /** @throws what node:http throws for a head that it does not send. */
  begin(head: AnswerHead, added: RawHeaders): void {
    const { status, reason, body } = head;
    const isHead = this.#request.method === 'HEAD';
    const headers = answerHeaders(head.headers, { status, body, isHead, takesChunks: this.#takesChunks }, added);
    if (isFieldText(reason)) this.#response.writeHead(status, reason, headers);
    else this.#response.writeHead(status, headers);
    this.#head = head;
    if (body === NO_BODY || body === 0) return;
    if (body < 0 || body > SMALL_BODY) {
      this.#writeHead();
      return;
    }
    this.#isHeadHeld = true;
    process.nextTick(this.#release);
  }

  /** Writes the head now, because the body may come much later, as in an event stream. As latin1: flushHeaders() would write UTF-8. */
  #writeHead(): void {
    this.#response.write('', 'latin1');
  }

  /** Sends the held bytes: the head alone, or with the part of the body that has come. */
  readonly #release = (): void => {
    if (!this.#isHeadHeld) return;
    this.#isHeadHeld = false;
    const whole = this.#whole;
    this.#whole = undefined;
    if (this.#response.destroyed) return;
    this.#writeHead();
    if (whole !== undefined) this.#writer.write(whole);
  };

  /** Bytes that wait on the connection. */
  get unwritten(): number {
    return this.#response.socket?.writableLength ?? 0;
  }

  /** Bytes of the response body that the client has taken, as far as the gateway can see; undefined while the client has taken everything. */
  get taken(): number | undefined {
    const waiting = this.#response.writableLength;
    return waiting === 0 ? undefined : this.#written - waiting;
  }

  /** False: no more until the response's 'drain'. */
  write(chunk: Buffer): boolean {
    if (this.#response.destroyed) return true;
    this.#written += chunk.length;
    if (this.#isHeadHeld && this.#whole === undefined && chunk.length === this.#head?.body) {
      this.#whole = chunk;
      return true;
    }
    this.#release();
    return this.#writer.write(chunk);
  }

  drained(): void {
    this.#writer.drained();
  }

  end(trailers: RawHeaders): void {
    const response = this.#response;
    const whole = this.#whole;
    if (whole === undefined) this.#release();
    this.#isHeadHeld = false;
    this.#writer.flush();
    if (this.#head?.body === PIECES && this.#takesChunks && trailers.length > 0) {
      response.addTrailers(pairs(trailersOf(trailers, keepAll)));
    }
    if (!this.#request.complete && response.socket !== null) awaitRest(response.socket, this.#request);
    // As a latin1 string, node:http writes it in one string with the head.
    if (whole === undefined) response.end();
    else response.end(whole.toString('latin1'), 'latin1');
  }

  /** The gateway's own answer, where there is no other. */
  refuse(answer: ErrorAnswer, added: RawHeaders): void {
    if (!this.#request.complete && this.#response.socket !== null) awaitRest(this.#response.socket, this.#request);
    answerError(this.#response, answer, added);
  }

  /** The partial response must not look complete. */
  cut(): void {
    this.#release();
    const { socket } = this.#response;
    if (socket !== null && !this.#response.writableFinished) reset(socket);
  }
}
