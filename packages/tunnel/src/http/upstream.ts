// Where a request goes next, whatever speaks there: an agent by blocks, an agent or an origin by HTTP/1.1. Whoever carries a request knows no
// more of it than this.
import type { AnswerHead, RawHeaders, RequestHead } from '../exchange/block.ts';
import type { Connection } from './connection.ts';

/** What comes back. Nothing is called after end(), switched() or failed(), nor after finish() or abort(). */
export interface UpstreamListener {
  /** The other end is connected: from here on the request cannot be taken back. */
  taken(): void;
  interim(status: number, reason: string, headers: RawHeaders): void;
  /** The final head. */
  answer(head: AnswerHead): void;
  data(chunk: Buffer): void;
  /** The answer is whole. */
  end(trailers: RawHeaders): void;
  /** 101: the connection is the caller's from now on, and so is what the other end has said already. */
  switched(head: Omit<AnswerHead, 'body'>, connection: Connection, early: Buffer): void;
  /** There is no answer, or no more of it. */
  failed(error: Error): void;
  /** More of the request's body can be written. */
  drain(): void;
}

export interface Upstream {
  /** Once, first. Throws for a head that cannot be sent. */
  send(head: RequestHead): void;
  /** Of the body. False: no more until drain(). */
  write(chunk: Buffer): boolean;
  /** The body is whole. */
  endBody(trailers: RawHeaders): void;
  /** The client says nothing more on its connection, and waits for the answer. */
  halfClose(): void;
  pause(): void;
  resume(): void;
  /** The answer is through. */
  finish(): void;
  /** Nobody wants the answer: the other end is to stop. */
  abort(): void;
}
