// The body of a request on its way to the next hop. The first bytes are kept for a while, so that a small body can be sent once more.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { type Framing, framingOf, trailerPairs } from './headers.ts';

export class RequestBody {
  readonly framing: Framing;
  readonly #request: IncomingMessage;
  readonly #keepAtMost: number;
  /** All that was read so far; undefined once that was too much to keep. */
  #kept: Buffer[] | undefined;
  #keptBytes = 0;
  #next: ClientRequest | undefined;
  readonly #onData = (chunk: Buffer): void => this.#keep(chunk);
  readonly #onEnd = (): void => this.#next?.addTrailers(trailerPairs(this.#request));

  /** Keeps up to `keepAtMost` bytes. Throws as framingOf() does. */
  constructor(request: IncomingMessage, keepAtMost = 0) {
    this.framing = framingOf(request);
    this.#request = request;
    this.#keepAtMost = keepAtMost;
    if (keepAtMost > 0 && this.framing !== 'none') {
      this.#kept = [];
    }
  }

  /** Whether nothing was sent that is not in hand any more. */
  get isRepeatable(): boolean {
    return this.framing === 'none' || this.#kept !== undefined;
  }

  /** Whether it will stay so to its end. */
  get staysRepeatable(): boolean {
    if (this.framing !== 'sized') return this.framing === 'none';
    return Number(this.#request.headers['content-length']) <= this.#keepAtMost;
  }

  /** Whether the client has yet to send some of it, and the next hop would take it. */
  get isAwaited(): boolean {
    return this.framing !== 'none' && !this.#request.complete && this.#next?.writableNeedDrain === false;
  }

  /** From its beginning: what is kept, and then what still comes. */
  sendTo(next: ClientRequest): void {
    this.stop();
    if (this.framing === 'none') {
      next.end();
      return;
    }
    this.#next = next;
    next.flushHeaders(); // the client may wait for an answer before it sends any body
    for (const chunk of this.#kept ?? []) next.write(chunk);
    const request = this.#request;
    if (request.readableEnded) {
      this.#onEnd();
      next.end();
      return;
    }
    if (this.#kept !== undefined) request.on('data', this.#onData);
    request.once('end', this.#onEnd); // before pipe() has its own, which ends `next`
    // Not pipeline(): that would destroy the request, and with it the client's socket, on which an answer may still have to go out.
    request.pipe(next);
  }

  /** Sends no more. What has not been read yet waits for the next sendTo(), or for drop(). */
  stop(): void {
    if (this.#next === undefined) return;
    this.#request.unpipe(this.#next); // which pauses
    this.#request.off('data', this.#onData).off('end', this.#onEnd);
    this.#next = undefined;
  }

  /** Reads and forgets the rest: a client that is still sending would never read its answer. */
  drop(): void {
    this.stop();
    this.#kept = undefined;
    this.#request.resume();
  }

  #keep(chunk: Buffer): void {
    this.#keptBytes += chunk.length;
    if (this.#keptBytes <= this.#keepAtMost) this.#kept?.push(chunk);
    else {
      this.#kept = undefined;
      this.#request.off('data', this.#onData);
    }
  }
}
