// Selects the headers for the next hop, and the framing of the body. Works on rawHeaders, [name, value, name, value, …], which keeps duplicates
// (Set-Cookie), order and spelling. Does not know sockets.
import type { IncomingMessage } from 'node:http';
import { TunnelError } from '../errors.ts';
import { type Body, NO_BODY, PIECES, type RawHeaders, type RequestHead } from '../exchange/block.ts';

/** RFC 9110 §7.6.1, and the two proxy fields that older texts list beside them. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authorization',
]);

/** A peer may name any header in Connection. It may not remove these: they decide the target and the length of a message. */
const NEVER_STRIPPED: ReadonlySet<string> = new Set(['host', 'content-length']);

/** Written anew for every hop, whatever a head says of them. */
const FRAMING: ReadonlySet<string> = new Set(['connection', 'content-length', 'transfer-encoding', 'upgrade']);

/** Fields that are needed before the body must not be trailers (RFC 9110 §6.5.1). */
const NO_TRAILER: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...['content-length', 'host', 'trailer', 'content-encoding', 'content-type', 'content-range', 'content-location'],
  ...['cache-control', 'expect', 'max-forwards', 'pragma', 'range', 'if-match', 'if-none-match', 'if-range'],
  ...['if-modified-since', 'if-unmodified-since', 'authorization', 'www-authenticate', 'cookie', 'set-cookie'],
  ...['age', 'expires', 'date', 'location', 'retry-after', 'vary', 'warning', 'via', 'x-request-id', 'x-served-by'],
]);

/** Methods for which the absence of a body is the rule and goes without saying. */
const BODILESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/** Idempotent methods (RFC 9110 §9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/** The end-to-end headers of a message, without those that `isDropped` (lower case) says. */
export function endToEnd(rawHeaders: RawHeaders, isDropped: (name: string) => boolean): string[] {
  const named = namedInConnection(rawHeaders);
  const kept: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const key = name.toLowerCase();
    if (!HOP_BY_HOP.has(key) && !isDropped(key) && named?.has(key) !== true)
      kept.push(name, rawHeaders[index + 1] as string);
  }
  return kept;
}

function namedInConnection(rawHeaders: RawHeaders): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    for (const part of (rawHeaders[index + 1] as string).toLowerCase().split(',')) {
      const key = part.trim();
      if (HOP_BY_HOP.has(key) || NEVER_STRIPPED.has(key) || key === 'close' || key === '') continue;
      named ??= new Set();
      named.add(key);
    }
  }
  return named;
}

/** Whether the client takes trailers, and says so to this hop as it must. */
export function takesTrailers({ headers }: IncomingMessage): boolean {
  return headers.te !== undefined && /(^|,)\s*trailers\s*(,|;|$)/i.test(String(headers.te));
}

/** @throws TunnelError with ERR_TUNNEL_UNSUPPORTED_CODING for a transfer coding other than chunked, which node:http does not decode. */
export function requestBody({ headers }: IncomingMessage): Body {
  if (isChunked(headers['transfer-encoding'])) return PIECES;
  const length = headers['content-length'];
  return length === undefined ? NO_BODY : lengthOf(length);
}

/**
 * @throws TunnelError with ERR_TUNNEL_UNSUPPORTED_CODING, as requestBody(), and with ERR_TUNNEL_BAD_ANSWER for an answer whose end can be read in
 * two ways.
 */
export function answerBody(status: number, headers: RawHeaders, method: string): Body {
  const coding = fieldValue(headers, 'transfer-encoding');
  const length = fieldValue(headers, 'content-length');
  if (coding !== undefined && length !== undefined) throw badAnswer('expected one framing, got two');
  const isInChunks = isChunked(coding);
  const bytes = length === undefined ? PIECES : numberIn(length);
  if (bytes === undefined) throw badAnswer(`expected a Content-Length, got ${length}`);
  if (method === 'HEAD' || hasNoBody(status)) return NO_BODY;
  return isInChunks ? PIECES : bytes;
}

/** Of all headers of that name, in lower case; undefined where there is none. */
export function fieldValue(headers: RawHeaders, name: string): string | undefined {
  let value: string | undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const text = headers[index] as string;
    if (text.length !== name.length || text.toLowerCase() !== name) continue;
    value = value === undefined ? headers[index + 1] : `${value}, ${headers[index + 1]}`;
  }
  return value;
}

function hasNoBody(status: number): boolean {
  return status === 204 || status === 304 || status < 200;
}

function isChunked(coding: string | undefined): boolean {
  if (coding === undefined) return false;
  if (coding.trim().toLowerCase() === 'chunked') return true;
  throw new TunnelError('ERR_TUNNEL_UNSUPPORTED_CODING', `expected the transfer coding chunked, got ${coding}`);
}

function lengthOf(text: string): number {
  const length = numberIn(text);
  if (length === undefined) throw new TunnelError('ERR_TUNNEL_BAD_REQUEST', `expected a Content-Length, got ${text}`);
  return length;
}

function numberIn(text: string): number | undefined {
  const length = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(length) ? length : undefined;
}

/**
 * The complete head of a request for an HTTP/1.1 connection, with explicit framing. With node:http's own framing, a GET with a chunked body would be sent
 * without framing, and the server would read its body as the next request.
 */
export function hopHeaders({ method, body, upgrade, headers }: RequestHead, keepAlive: boolean): string[] {
  const head: string[] = [];
  let hasTe = false;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    const key = name.toLowerCase();
    if (FRAMING.has(key) || (key === 'trailer' && body !== PIECES)) continue;
    if (key === 'te') hasTe = true;
    head.push(name, headers[index + 1] as string);
  }
  if (upgrade !== '') {
    // The explicit absence of a body: else node:http would end a chunked body with bytes that look like the new protocol.
    if (!BODILESS.has(method)) head.push('Content-Length', '0');
    head.push('Connection', 'Upgrade', 'Upgrade', upgrade);
    return head;
  }
  if (body === PIECES) head.push('Transfer-Encoding', 'chunked');
  else if (body >= 0) head.push('Content-Length', String(body));
  else if (!BODILESS.has(method)) head.push('Content-Length', '0');
  // With Connection: close, a server that answers before it has read the body closes at once, and the reset that follows can overtake its response.
  const connection = keepAlive || body > 0 || body === PIECES ? 'keep-alive' : 'close';
  head.push('Connection', hasTe ? `${connection}, TE` : connection);
  return head;
}

export interface AnswerFraming {
  readonly status: number;
  readonly body: Body;
  readonly isHead: boolean;
  /** HTTP/1.1: bodies of unknown length come in chunks. */
  readonly takesChunks: boolean;
}

/**
 * The head of a response for the client: end-to-end headers, and `added` ([name, value, …]) instead of the origin's headers of the same name. node:http
 * frames the body again: chunked for HTTP/1.1, by the end of the connection for 1.0.
 */
export function answerHeaders(
  raw: RawHeaders,
  { status, body, isHead, takesChunks }: AnswerFraming,
  added: RawHeaders,
): string[] {
  // For a body that is not sent (HEAD), the origin's headers about it are passed on.
  const keepsLength = body === NO_BODY && (isHead || status === 304);
  const keepsTrailer = body === PIECES && takesChunks;
  const headers = endToEnd(raw, (name) => {
    if (name === 'content-length') return !keepsLength;
    if (name === 'trailer') return !keepsTrailer;
    if (name === 'set-cookie') return false; // cookies are added; other headers are replaced
    for (let index = 0; index < added.length; index += 2) if (added[index]?.toLowerCase() === name) return true;
    return false;
  });
  if (body >= 0) headers.push('Content-Length', String(body));
  for (const text of added) headers.push(text);
  return headers;
}

/** The head of a 101 for the hop back: what the connection becomes is for both ends, though Upgrade is a hop-by-hop field. */
export function switchingHeaders(raw: RawHeaders, added: RawHeaders): string[] {
  let upgrade = '';
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if (raw[index]?.toLowerCase() === 'upgrade') upgrade = raw[index + 1] as string;
  }
  const framing = { status: 101, body: NO_BODY, isHead: false, takesChunks: false };
  return [...answerHeaders(raw, framing, added), 'Connection', 'Upgrade', 'Upgrade', upgrade];
}

/** Of raw trailers, those that may come after a body. `isDropped`: what the gateway alone may say. */
export function trailersOf(rawTrailers: RawHeaders, isDropped: (name: string) => boolean): string[] {
  return rawTrailers.length === 0 ? [] : endToEnd(rawTrailers, (name) => NO_TRAILER.has(name) || isDropped(name));
}

/** As node:http takes trailers. */
export function pairs(raw: RawHeaders): [string, string][] {
  const list: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) list.push([raw[index] as string, raw[index + 1] as string]);
  return list;
}

/**
 * The head of a request for an HTTP/1.1 connection, as latin1 text.
 * @throws TunnelError with ERR_TUNNEL_BAD_REQUEST for what HTTP cannot carry.
 */
export function requestLines(method: string, target: string, headers: RawHeaders): string {
  if (!isToken(method) || !/^[\x21-\xff]+$/.test(target)) {
    throw new TunnelError('ERR_TUNNEL_BAD_REQUEST', 'expected a method and a target that HTTP can carry');
  }
  const lines = fieldLines(headers);
  if (lines === undefined) throw new TunnelError('ERR_TUNNEL_BAD_REQUEST', 'expected headers that HTTP can carry');
  return `${method} ${target} HTTP/1.1\r\n${lines}\r\n`;
}

/**
 * The last chunk and the trailers of a chunked body.
 * @throws TunnelError with ERR_TUNNEL_BAD_REQUEST for what HTTP cannot carry.
 */
export function lastChunk(trailers: RawHeaders): string {
  const lines = fieldLines(trailers);
  if (lines === undefined) throw new TunnelError('ERR_TUNNEL_BAD_REQUEST', 'expected trailers that HTTP can carry');
  return `0\r\n${lines}\r\n`;
}

/** An HTTP/1.1 head in bytes, for what node:http does not write: interim answers of any status, and 101. */
export function statusLines(status: number, reason: string, headers: RawHeaders): Buffer {
  const lines = fieldLines(headers);
  if (lines === undefined) throw badAnswer('expected headers that HTTP can carry');
  return Buffer.from(`HTTP/1.1 ${status} ${isFieldText(reason) ? reason : ''}\r\n${lines}\r\n`, 'latin1');
}

/** Undefined for what HTTP cannot carry. */
function fieldLines(headers: RawHeaders): string | undefined {
  let lines = '';
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const [name, value] = [headers[index] as string, headers[index + 1] as string];
    if (!isToken(name) || !isFieldText(value)) return undefined;
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** The name of a header, or of a method. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+.^`|~\w-]+$/.test(text);
}

/** The value of a header, or a reason. */
export function isFieldText(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}

/** The response of an origin or an agent cannot be passed on. */
export function badAnswer(message: string): TunnelError {
  return new TunnelError('ERR_TUNNEL_BAD_ANSWER', message);
}
