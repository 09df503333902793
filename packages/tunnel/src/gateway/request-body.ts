// Forwards the body of a public request to an agent. The first bytes are kept while they may have to be sent again to another agent.
import type { IncomingMessage } from 'node:http';
import { type Body, HELD_BODY, NO_BODY, PIECES, type RawHeaders } from '../exchange/block.ts';
import { requestBody, trailersOf } from '../http/headers.ts';
import type { Upstream } from '../http/upstream.ts';

export class RequestBody {
  readonly length: Body;
  readonly #request: IncomingMessage;
  readonly #isDroppedTrailer: (name: string) => boolean;
  /** All bytes read so far; undefined once some were discarded. */
  #kept: Buffer | undefined;
  #keptBytes = 0;
  #isTaken = false;
  #next: Upstream | undefined;
  #isWhole: boolean;
  #isBlocked = false;
  #isDropped = false;
  #isPausing = false;
  /** Bytes that the client has sent of it. */
  received = 0;
  /** When the last of them came. */
  movedAt: number = performance.now();

  /**
   * Keeps up to HELD_BODY bytes. `isDroppedTrailer`: by the name, in lower case.
   * @throws as requestBody().
   */
  constructor(request: IncomingMessage, isDroppedTrailer: (name: string) => boolean) {
    this.length = requestBody(request);
    this.#request = request;
    this.#isDroppedTrailer = isDroppedTrailer;
    this.#isWhole = this.length === NO_BODY || this.length === 0;
    if (this.#isWhole) return;
    this.#kept = Buffer.alloc(0);
    request.on('data', this.#onData);
    request.on('end', this.#onEnd);
    request.on('error', () => {}); // the connection reports that the client has left
    request.pause();
  }

  /** Whether every sent byte is still kept. */
  get isRepeatable(): boolean {
    return this.#kept !== undefined || this.length === NO_BODY || this.length === 0;
  }

  /** Whether it will stay so to its end. */
  get staysRepeatable(): boolean {
    return this.length <= HELD_BODY && this.length !== PIECES;
  }

  /** All of it has come. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Whether the client still has to send a part, and the next hop would take it. */
  get isAwaited(): boolean {
    return !this.#isWhole && !this.#isBlocked && this.#next !== undefined;
  }

  /** Sends the body from its beginning: the kept bytes, then the rest. `isTaken`: the next hop will not report that it is taken. */
  sendTo(next: Upstream, isTaken: boolean): void {
    this.#next = next;
    this.#isTaken = isTaken;
    this.#isBlocked = false;
    if (this.length === NO_BODY || this.length === 0) return;
    const kept = this.#kept?.subarray(0, this.#keptBytes);
    const goesOn = kept === undefined || kept.length === 0 || next.write(kept);
    if (this.#isWhole) next.endBody(this.#trailers);
    else if (goesOn) this.resume();
    else this.#isBlocked = true;
  }

  /** The target is connected. `keep`: whether the body may still be sent once more. */
  taken(keep: boolean): void {
    this.#isTaken = true;
    if (!keep || this.#keptBytes >= HELD_BODY) this.#kept = undefined;
    if (this.#isBlocked) return;
    this.resume();
  }

  /** The next hop can take more. */
  resume(): void {
    this.#isBlocked = false;
    if (this.#isWhole || this.#isHeld) return;
    this.#isPausing = false;
    this.#request.resume();
  }

  /** Whether the limit of kept bytes is reached and the target is not connected: further bytes could not be sent to another agent. */
  get #isHeld(): boolean {
    return !this.#isTaken && this.#keptBytes >= HELD_BODY;
  }

  /** Stops sending. The unread rest waits for the next sendTo(), or for drop(). */
  stop(): void {
    this.#next = undefined;
    if (!this.#isWhole && !this.#isDropped) this.#pause();
  }

  /** Reads and drops the rest, because a client that is still sending may not read its response. */
  drop(): void {
    this.#next = undefined;
    this.#isDropped = true;
    this.#kept = undefined;
    this.#isPausing = false;
    this.#request.resume();
  }

  get #trailers(): RawHeaders {
    return this.length === PIECES ? trailersOf(this.#request.rawTrailers, this.#isDroppedTrailer) : [];
  }

  readonly #onData = (chunk: Buffer): void => {
    this.received += chunk.length;
    this.movedAt = performance.now();
    if (this.#isDropped) return;
    if (this.#kept !== undefined) this.#keep(chunk);
    if (this.#next?.write(chunk) === false) {
      this.#isBlocked = true;
      this.#pause();
    } else if (this.#next === undefined || this.#isHeld) this.#pause();
  };

  readonly #onEnd = (): void => {
    this.#isWhole = true;
    this.#next?.endBody(this.#trailers);
  };

  /** Pauses after the current chunk is parsed; a pause in between would buffer its rest piece by piece. */
  #pause(): void {
    if (this.#isPausing) return;
    this.#isPausing = true;
    process.nextTick(() => {
      if (this.#isPausing) this.#request.pause();
    });
  }

  #keep(chunk: Buffer): void {
    const bytes = this.#keptBytes + chunk.length;
    // Until the body is taken, all of it is kept, or it could not be sent to another agent. A chunk above the limit is the last one.
    if (bytes > HELD_BODY && this.#isTaken) {
      this.#kept = undefined;
      return;
    }
    let kept = this.#kept ?? Buffer.alloc(0);
    if (bytes > kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(bytes, kept.length * 2));
      kept.copy(larger, 0, 0, this.#keptBytes);
      kept = larger;
    }
    chunk.copy(kept, this.#keptBytes);
    this.#kept = kept;
    this.#keptBytes = bytes;
  }
}
