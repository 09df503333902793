// The streams of one session: which ids are ours, which streams are alive on the wire, and which are over there and still hold bytes for the application.

import type { WireStream } from '../stream/wire-stream.ts';
import { MAX_UINT32, SESSION_ID } from '../wire/constants.ts';

/** Which ids a side opens: the client odd ones, the server even ones. */
export type Role = 'client' | 'server';

export class StreamTable {
  readonly #ourParity: 0 | 1;
  /** Alive on the wire, by id. */
  readonly #live = new Map<number, WireStream>();
  /** Over on the wire; the application has not read them to their end, nor destroyed them. */
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

  /** Streams that are over on the wire and that the application still holds. */
  get keptSize(): number {
    return this.#kept.size;
  }

  /** Streams of the peer that are alive, or kept: what they hold is held for the peer. */
  get inboundHeld(): number {
    return this.#live.size - this.#outboundLive + this.#inboundKept;
  }

  /** Whether the peer may open a stream with this id. */
  isPeerId(id: number): boolean {
    return id !== SESSION_ID && id % 2 !== this.#ourParity;
  }

  /** An id for a stream of ours, or undefined when all 2^31 are used up: they are never used again. */
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

  /** Nothing more goes over the wire. It is kept until it is released. */
  ended(stream: WireStream): void {
    // Its id may be in use again.
    if (this.#live.get(stream.id) !== stream) return;
    this.#live.delete(stream.id);
    if (stream.direction === 'outbound') this.#outboundLive -= 1;
    if (stream.isReleased) return;
    this.#kept.add(stream);
    if (stream.direction === 'inbound') this.#inboundKept += 1;
  }

  /** The application holds nothing of it any more. */
  released(stream: WireStream): void {
    if (this.#kept.delete(stream) && stream.direction === 'inbound') this.#inboundKept -= 1;
  }

  /** The sum of all receive windows. */
  get windowBytes(): number {
    let bytes = 0;
    for (const stream of this.#live.values()) bytes += stream.window.size;
    return bytes;
  }

  /** Bytes that arrived on streams of either kind and that nobody has asked for. */
  get unreadBytes(): number {
    let bytes = 0;
    for (const stream of this.all()) bytes += stream.unreadBytes;
    return bytes;
  }

  /** Whether one is alive that the application still holds, or of which something is still to be sent. */
  get hasLive(): boolean {
    for (const stream of this.#live.values()) if (!stream.isReleased || stream.hasMoreToSend) return true;
    return false;
  }

  /** Ends each with this error, and its peer's end with a RST. */
  expelAll(error: Error): void {
    for (const stream of this.#live.values()) stream.expel(error);
  }

  /** Those that are alive, and those that are kept. */
  *all(): IterableIterator<WireStream> {
    yield* this.#live.values();
    yield* this.#kept;
  }
}
