// The streams of one session: the ids, the streams that are alive on the wire, and the streams that have ended there and still hold bytes for the
// application.

import type { WireStream } from '../stream/wire-stream.ts';
import { MAX_UINT32, SESSION_ID } from '../wire/constants.ts';

/** The role of a side: the client opens odd ids, the server even ids. */
export type Role = 'client' | 'server';

export class StreamTable {
  readonly #ourParity: 0 | 1;
  /** Alive on the wire, by id. */
  readonly #live = new Map<number, WireStream>();
  /** Ended on the wire, and neither read to the end nor destroyed by the application. */
  readonly #kept = new Set<WireStream>();
  #nextId: number;
  #outboundLive = 0;
  #inboundKept = 0;

  /** The client opens odd ids, the server even ones. */
  constructor(role: Role) {
    this.#ourParity = role === 'client' ? 1 : 0;
    this.#nextId = role === 'client' ? 1 : 2;
  }

  /** Streams alive on the wire. */
  get size(): number {
    return this.#live.size;
  }

  get outboundSize(): number {
    return this.#outboundLive;
  }

  /** The number of streams that have ended on the wire and that the application still holds. */
  get keptSize(): number {
    return this.#kept.size;
  }

  /** The number of the peer's streams that are alive or kept. */
  get inboundHeld(): number {
    return this.#live.size - this.#outboundLive + this.#inboundKept;
  }

  /** Whether the peer may open a stream with this id. */
  isPeerId(id: number): boolean {
    return id !== SESSION_ID && id % 2 !== this.#ourParity;
  }

  /** The id for our next stream; undefined when all 2^31 ids are used up, because ids are not reused. */
  takeId(): number | undefined {
    if (this.#nextId > MAX_UINT32) return undefined;
    const id = this.#nextId;
    this.#nextId += 2;
    return id;
  }

  get(id: number): WireStream | undefined {
    return this.#live.get(id);
  }

  add(stream: WireStream): void {
    this.#live.set(stream.id, stream);
    if (stream.direction === 'outbound') this.#outboundLive += 1;
  }

  /** The stream has ended on the wire. It is kept until the application releases it. */
  ended(stream: WireStream): void {
    // Another stream may use the id by now.
    if (this.#live.get(stream.id) !== stream) return;
    this.#live.delete(stream.id);
    if (stream.direction === 'outbound') this.#outboundLive -= 1;
    if (stream.isReleased) return;
    this.#kept.add(stream);
    if (stream.direction === 'inbound') this.#inboundKept += 1;
  }

  /** The application has released the stream. */
  released(stream: WireStream): void {
    if (this.#kept.delete(stream) && stream.direction === 'inbound') this.#inboundKept -= 1;
  }

  /** The sum of all receive windows. */
  get windowBytes(): number {
    let bytes = 0;
    for (const stream of this.#live.values()) bytes += stream.window.size;
    return bytes;
  }

  /** Received bytes of alive and kept streams that the application has not read. */
  get unreadBytes(): number {
    let bytes = 0;
    for (const stream of this.all()) bytes += stream.unreadBytes;
    return bytes;
  }

  /** Whether a stream is alive that the application still holds or that has something to send. */
  get hasLive(): boolean {
    for (const stream of this.#live.values()) if (!stream.isReleased || stream.hasMoreToSend) return true;
    return false;
  }

  /** Ends each stream with this error, and sends RST for each. */
  expelAll(error: Error): void {
    for (const stream of this.#live.values()) stream.expel(error);
  }

  /** All alive and kept streams. */
  *all(): IterableIterator<WireStream> {
    yield* this.#live.values();
    yield* this.#kept;
  }
}
