// The streams of one session: which ids are ours, which are alive, how many.

import type { YamuxStream } from '../stream/stream.ts';
import { MAX_UINT32, SESSION_ID } from '../wire/constants.ts';

/** Which ids a side opens: the client odd ones, the server even ones. */
export type Role = 'client' | 'server';

export class StreamTable {
  readonly #ourParity: 0 | 1;
  readonly #streams = new Map<number, YamuxStream>();
  #nextId: number;
  #outbound = 0;
  #inboundHeld = 0;

  /** The client opens odd ids, the server even ones. */
  constructor(role: Role) {
    this.#ourParity = role === 'client' ? 1 : 0;
    this.#nextId = role === 'client' ? 1 : 2;
  }

  get size(): number {
    return this.#streams.size;
  }

  get outboundSize(): number {
    return this.#outbound;
  }

  /** Streams of the peer that are alive, or over and not yet read to their end: what they hold is held for the peer. */
  get inboundHeld(): number {
    return this.#inboundHeld;
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

  get(id: number): YamuxStream | undefined {
    return this.#streams.get(id);
  }

  add(stream: YamuxStream): void {
    this.#streams.set(stream.id, stream);
    if (stream.direction === 'inbound') this.#inboundHeld += 1;
    else this.#outbound += 1;
  }

  /** Nothing more goes over the wire. */
  remove(stream: YamuxStream): void {
    // Its id may be in use again.
    if (this.#streams.get(stream.id) !== stream) return;
    this.#streams.delete(stream.id);
    if (stream.direction === 'outbound') this.#outbound -= 1;
  }

  /** The sum of all receive windows. */
  get windowBytes(): number {
    let bytes = 0;
    for (const stream of this) bytes += stream.intake.window.size;
    return bytes;
  }

  /** A stream of the peer is over in every respect. */
  forgetInbound(): void {
    this.#inboundHeld -= 1;
  }

  /** Whether the application still holds one of them. */
  get hasLive(): boolean {
    for (const stream of this) if (!stream.destroyed) return true;
    return false;
  }

  /** Ends each with this error, and its peer's end with a RST. */
  destroyAll(error: Error): void {
    for (const stream of this) stream.destroy(error);
  }

  [Symbol.iterator](): IterableIterator<YamuxStream> {
    return this.#streams.values();
  }
}
