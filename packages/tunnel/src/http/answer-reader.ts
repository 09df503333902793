// Parses the responses of an HTTP/1.1 connection by RFC 9112, in sequence, from chunks of any size. Ambiguous input is an error, and so is input above a
// limit. Works on bytes, not on sockets.
import { TunnelError } from '../errors.ts';
import { type AnswerHead, type Body, NO_BODY, PIECES, type RawHeaders } from '../exchange/block.ts';
import { answerBody, badAnswer, fieldValue, isFieldText, isToken } from './headers.ts';

export interface AnswerListener {
  /** A 1xx other than 101. Throws for one too many, as all may. */
  onInterim(status: number, reason: string, headers: RawHeaders): void;
  onAnswer(head: AnswerHead): void;
  onBody(bytes: Buffer): void;
  /** The answer is whole. */
  onWhole(trailers: RawHeaders): void;
  /** 101, or the 200 of a CONNECT: the following bytes, and `early`, are not HTTP. */
  onSwitch(status: number, reason: string, headers: RawHeaders, early: Buffer): void;
}

/** What an answer is the answer to. */
export interface Asked {
  readonly method: string;
  /** It asked for another protocol. */
  readonly isUpgrade: boolean;
}

const HEAD = 0;
const SIZED = 1;
const CHUNK_SIZE = 2;
const CHUNK = 3;
const CHUNK_END = 4;
const TRAILER = 5;
/** All bytes until the connection ends. */
const UNSIZED = 6;
const NONE = 7;

/** Of every answer. */
const BEGINNING = 'HTTP/1.';
const LINE_END = Buffer.from('\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
/** Bytes of a line with the size of a chunk, and its extensions. */
const MAX_CHUNK_LINE = 16_384;

export class AnswerReader {
  readonly #listener: AnswerListener;
  /** Bytes of a head, or of trailers. */
  readonly #maxHead: number;
  #state = NONE;
  #asked: Asked = { method: '', isUpgrade: false };
  /** Bytes that are left of a body, or of a chunk of it. */
  #left = 0;
  /** A beginning of what is read as text. */
  #held: Buffer | undefined;
  #heldBytes = 0;
  #next = 0;
  #trailers: string[] = [];
  #trailerBytes = 0;
  #isPersistent = false;
  #keepAlive: string | undefined;
  #hasBegun = false;
  #isStopped = false;

  constructor(listener: AnswerListener, maxHead: number) {
    this.#listener = listener;
    this.#maxHead = maxHead;
  }

  /** The next bytes are the answer to this. */
  expect(asked: Asked): void {
    this.#asked = asked;
    this.#state = HEAD;
    this.#isPersistent = false;
    this.#keepAlive = undefined;
    this.#hasBegun = false;
  }

  /** Whether a byte of the answer has come. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** Whether the end of the connection is the end of the answer. */
  get endsWithConnection(): boolean {
    return this.#state === UNSIZED;
  }

  /** Whether another request may follow the answer, by what it says and by how it ends. */
  get isPersistent(): boolean {
    return this.#isPersistent && this.#state === NONE;
  }

  /** The value of its Keep-Alive field. */
  get keepAlive(): string | undefined {
    return this.#keepAlive;
  }

  /** Stops the reader, also within the current chunk. */
  stop(): void {
    this.#isStopped = true;
  }

  /** @throws TunnelError for what is no answer, and what the listener throws. */
  read(bytes: Buffer): void {
    let at = 0;
    if (this.#state !== NONE) this.#hasBegun = true;
    while (at < bytes.length && this.#state !== NONE && !this.#isStopped) {
      switch (this.#state) {
        case HEAD:
          at = this.#readHead(bytes, at);
          break;
        case SIZED:
        case CHUNK:
          at = this.#readSized(bytes, at);
          break;
        case UNSIZED:
          this.#listener.onBody(at === 0 ? bytes : bytes.subarray(at));
          at = bytes.length;
          break;
        default:
          at = this.#readLine(bytes, at);
      }
    }
  }

  /** The connection has ended. False: in the middle of the answer. */
  ended(): boolean {
    if (this.#state !== UNSIZED) return this.#state === NONE;
    this.#whole([], false);
    return true;
  }

  #readHead(bytes: Buffer, at: number): number {
    const text = this.#textUntil(HEAD_END, bytes, at, this.#maxHead);
    if (text === undefined) {
      const begun = this.#held?.toString('latin1', 0, Math.min(this.#heldBytes, BEGINNING.length)) ?? '';
      if (!BEGINNING.startsWith(begun)) throw badAnswer('expected an answer of HTTP/1.1');
      return bytes.length;
    }
    const [start = '', ...lines] = text.split('\r\n');
    const [, minor, digits, reason = ''] = /^HTTP\/1\.(\d) (\d{3})(?: (.*))?$/.exec(start) ?? [];
    if (digits === undefined) throw badAnswer('expected a status line of HTTP/1.1');
    const status = Number(digits);
    const headers: string[] = [];
    for (const line of lines) readField(line, headers);
    if (status < 200) return this.#interim(status, reason, headers, bytes);
    const { method } = this.#asked;
    if (method === 'CONNECT' && status === 200) {
      this.#switch(status, reason, headers, bytes);
      return bytes.length;
    }
    const body = answerBody(status, headers, method);
    this.#isPersistent = saysPersistent(minor === '0', headers);
    this.#keepAlive = fieldValue(headers, 'keep-alive');
    this.#begin(body, fieldValue(headers, 'transfer-encoding') !== undefined);
    const next = this.#next;
    this.#listener.onAnswer({ status, reason, body, headers });
    if (body === NO_BODY || body === 0) this.#whole([], next < bytes.length);
    return next;
  }

  #begin(body: Body, isChunked: boolean): void {
    if (body > 0) {
      this.#state = SIZED;
      this.#left = body;
    } else if (body === PIECES) {
      this.#state = isChunked ? CHUNK_SIZE : UNSIZED;
      this.#trailers = [];
      this.#trailerBytes = 0;
    }
  }

  #interim(status: number, reason: string, headers: string[], bytes: Buffer): number {
    if (status < 100) throw badAnswer(`expected a status from 100 to 999, got ${status}`);
    const next = this.#next;
    if (status !== 101) this.#listener.onInterim(status, reason, headers);
    else if (this.#asked.isUpgrade) {
      this.#switch(status, reason, headers, bytes);
      return bytes.length;
    } else throw new TunnelError('ERR_TUNNEL_UNEXPECTED_UPGRADE', 'the answer was 101');
    return next;
  }

  #switch(status: number, reason: string, headers: string[], bytes: Buffer): void {
    this.#state = NONE;
    this.#listener.onSwitch(status, reason, headers, bytes.subarray(this.#next));
  }

  #readSized(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    const isLast = this.#left === 0;
    if (isLast && this.#state === CHUNK) this.#state = CHUNK_END;
    this.#listener.onBody(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (isLast && this.#state === SIZED) this.#whole([], end < bytes.length);
    return end;
  }

  /** Of the framing of a body in chunks. */
  #readLine(bytes: Buffer, at: number): number {
    const limit = this.#state === TRAILER ? this.#maxHead - this.#trailerBytes : MAX_CHUNK_LINE;
    const line = this.#textUntil(LINE_END, bytes, at, limit);
    if (line === undefined) return bytes.length;
    if (this.#state === CHUNK_END) {
      if (line !== '') throw badAnswer('expected the end of a line behind a chunk');
      this.#state = CHUNK_SIZE;
    } else if (this.#state === CHUNK_SIZE) {
      const [, digits] = /^([\da-f]{1,12})[\t ]*(?:;|$)/i.exec(line) ?? [];
      if (digits === undefined || !isFieldText(line)) throw badAnswer('expected the size of a chunk');
      this.#left = Number.parseInt(digits, 16);
      this.#state = this.#left === 0 ? TRAILER : CHUNK;
    } else if (line !== '') {
      this.#trailerBytes += line.length + LINE_END.length;
      readField(line, this.#trailers);
    } else {
      const next = this.#next;
      this.#whole(this.#trailers, next < bytes.length);
      return next;
    }
    return this.#next;
  }

  /** `hasMore`: unrequested bytes follow, which must not be taken for the response to another request. */
  #whole(trailers: RawHeaders, hasMore: boolean): void {
    if (hasMore || this.#state === UNSIZED) this.#isPersistent = false;
    this.#state = NONE;
    if (!this.#isStopped) this.#listener.onWhole(trailers);
  }

  /**
   * The bytes before the next `end`, as latin1 text; `#next` is the position after it. Undefined if they have not all come; then the bytes so far are
   * kept.
   */
  #textUntil(end: Buffer, bytes: Buffer, at: number, limit: number): string | undefined {
    if (this.#held === undefined) {
      const found = bytes.indexOf(end, at);
      if ((found < 0 ? bytes.length : found) - at > limit) throw tooLarge(limit);
      if (found >= 0) {
        this.#next = found + end.length;
        return bytes.toString('latin1', at, found);
      }
      this.#hold(bytes, at, bytes.length);
      this.#checkLines(0);
      return undefined;
    }
    // The end may begin in the kept bytes.
    const before = this.#heldBytes;
    const from = Math.max(0, before - end.length + 1);
    const some = Math.min(bytes.length, at + limit + end.length - before);
    this.#hold(bytes, at, Math.max(at, some));
    const found = this.#held.subarray(0, this.#heldBytes).indexOf(end, from);
    if (found < 0) {
      if (this.#heldBytes > limit) throw tooLarge(limit);
      this.#checkLines(before);
      return undefined;
    }
    const text = this.#held.toString('latin1', 0, found);
    this.#next = at + found + end.length - before;
    this.#held = undefined;
    this.#heldBytes = 0;
    return text;
  }

  #hold(bytes: Buffer, from: number, to: number): void {
    const needed = this.#heldBytes + to - from;
    if (this.#held === undefined || needed > this.#held.length) {
      const larger = Buffer.allocUnsafe(Math.max(1_024, needed * 2));
      this.#held?.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    this.#heldBytes += bytes.copy(this.#held, this.#heldBytes, from, to);
  }

  /** A line ends with CR LF. A bare LF is an error, or the line would never end. `from`: the position of the new bytes. */
  #checkLines(from: number): void {
    const held = this.#held as Buffer;
    for (let index = from; index < this.#heldBytes; index += 1) {
      if (held[index] === 10 && held[index - 1] !== 13) throw badAnswer('expected lines that end with CR LF');
    }
  }
}

function readField(line: string, into: string[]): void {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon);
  const value = trimmed(line, colon + 1);
  // Some parsers join a line that begins with a space to the line before it (RFC 9112 §5.2).
  if (colon < 1 || !isToken(name) || !isFieldText(value)) throw badAnswer('expected a header that HTTP can carry');
  into.push(name, value);
}

/** Without spaces and tabs around it, and them alone. */
function trimmed(line: string, from: number): string {
  let start = from;
  let end = line.length;
  while (start < end && isBlank(line.charCodeAt(start))) start += 1;
  while (end > start && isBlank(line.charCodeAt(end - 1))) end -= 1;
  return line.slice(start, end);
}

function isBlank(character: number): boolean {
  return character === 32 || character === 9;
}

function saysPersistent(isOld: boolean, headers: RawHeaders): boolean {
  const connection = fieldValue(headers, 'connection')?.toLowerCase() ?? '';
  if (/(^|[,\s])close([,\s]|$)/.test(connection)) return false;
  return !isOld || /(^|[,\s])keep-alive([,\s]|$)/.test(connection);
}

function tooLarge(limit: number): TunnelError {
  return badAnswer(`expected a head of at most ${limit} bytes`);
}
