// The interface of an upstream, independent of its protocol: an agent with blocks, or an agent or an origin with HTTP/1.1.
import type { AnswerHead, RawHeaders, RequestHead } from '../exchange/block.ts';
import type { Connection } from './connection.ts';

/** The callbacks for the response. None is called after end(), switched() or failed(), nor after finish() or abort(). */
export interface UpstreamListener {
  /** The other side is connected: from here on the request cannot be sent elsewhere. */
  taken(): void;
  interim(status: number, reason: string, headers: RawHeaders): void;
  /** The final head. */
  answer(head: AnswerHead): void;
  data(chunk: Buffer): void;
  /** The answer is whole. */
  end(trailers: RawHeaders): void;
  /** 101: the caller now owns the connection, and the bytes that the other side has already sent. */
  switched(head: Omit<AnswerHead, 'body'>, connection: Connection, early: Buffer): void;
  /** There is no response, or no more of it. */
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
  /** The response is no longer needed; the other side must stop. */
  abort(): void;
}
