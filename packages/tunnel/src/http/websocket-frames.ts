// Follows the frames of a WebSocket in one direction, by their headers only. After the end of a frame, a close frame of ours may be inserted.
import type { Writable } from 'node:stream';

/** Close code 1001, going away: clients reconnect at once. */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);
/** The same from a client, which must mask: by zeros, which changes nothing. */
const GOING_AWAY_MASKED = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]);

const CLOSE = 8;

export class WebSocketFrames {
  readonly #isFromClient: boolean;
  /** Of the header that is being read. */
  #header: number[] = [];
  #needed = 2;
  /** Bytes of payload that are still to come. */
  #payload = 0;
  #isClosing = false;
  #isAway = false;
  #sentAway: Writable | undefined;

  constructor(isFromClient: boolean) {
    this.#isFromClient = isFromClient;
  }

  /** Writes the chunk, and what is due behind a frame in it. False: `to` takes no more for now. */
  pass(chunk: Buffer, to: Writable): boolean {
    if (this.#isAway) return true;
    let at = 0;
    while (at < chunk.length) {
      if (this.#isBetween && this.#sentAway !== undefined) return this.#goAway(chunk.subarray(0, at), to);
      if (this.#payload > 0) {
        const bytes = Math.min(this.#payload, chunk.length - at);
        this.#payload -= bytes;
        at += bytes;
      } else {
        this.#readHeader(chunk[at] as number);
        at += 1;
      }
    }
    if (this.#isBetween && this.#sentAway !== undefined) return this.#goAway(chunk, to);
    return to.write(chunk);
  }

  /** Sends a close frame with 1001 after the current frame, and drops the bytes after it. */
  sendAway(to: Writable): void {
    if (this.#isAway || this.#sentAway !== undefined) return;
    this.#sentAway = to;
    if (this.#isBetween) this.#goAway(undefined, to);
  }

  get #isBetween(): boolean {
    return this.#payload === 0 && this.#header.length === 0;
  }

  #goAway(before: Buffer | undefined, to: Writable): boolean {
    this.#isAway = true;
    if (before !== undefined && before.length > 0) to.write(before);
    if (this.#isClosing || to.destroyed || to.writableEnded) return true; // the end reports it
    return to.write(this.#isFromClient ? GOING_AWAY_MASKED : GOING_AWAY);
  }

  #readHeader(byte: number): void {
    const header = this.#header;
    header.push(byte);
    if (header.length === 2) {
      const length = byte & 0x7f;
      this.#needed = 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (byte & 0x80 ? 4 : 0);
    }
    if (header.length < this.#needed) return;
    const length = (header[1] as number) & 0x7f;
    const bytes = length < 126 ? 0 : length === 126 ? 2 : 8;
    this.#payload = bytes === 0 ? length : header.slice(2, 2 + bytes).reduce((sum, part) => sum * 256 + part, 0);
    if (((header[0] as number) & 0x0f) === CLOSE) this.#isClosing = true;
    this.#header = [];
    this.#needed = 2;
  }
}
