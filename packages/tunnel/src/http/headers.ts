// Which headers go on to the next hop, and how the body is framed there. Works on rawHeaders, [name, value, name, value, …]: that
// keeps duplicates (Set-Cookie), their order and their spelling. Knows nothing about sockets.
import type { IncomingMessage } from 'node:http';
import { TunnelError } from '../errors.ts';

/** RFC 9110 §7.6.1, and the two proxy fields that older texts list beside them. */
const HOP_BY_HOP = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authorization',
]);

/** A peer may name any header in Connection. These it may not take away: they decide where a message goes and where it ends. */
const NEVER_STRIPPED = new Set(['host', 'content-length']);

/** How the body of a message is delimited: by chunks, by its Content-Length, or there is none. */
export type Framing = 'chunked' | 'sized' | 'none';

/** The end-to-end headers of a message, without those named in `dropped` (lower case). */
export function endToEnd(rawHeaders: readonly string[], dropped: readonly string[] = []): string[] {
  const stripped = new Set(dropped);
  forEach(rawHeaders, (name, value) => {
    if (name.toLowerCase() !== 'connection') return;
    for (const named of value.toLowerCase().split(',')) {
      if (!NEVER_STRIPPED.has(named.trim())) stripped.add(named.trim());
    }
  });
  const kept: string[] = [];
  forEach(rawHeaders, (name, value) => {
    const key = name.toLowerCase();
    if (!HOP_BY_HOP.has(key) && !stripped.has(key)) kept.push(name, value);
  });
  return kept;
}

/** @throws TunnelError with ERR_TUNNEL_UNSUPPORTED_CODING for a transfer coding other than chunked, which node:http does not decode. */
export function framingOf(message: IncomingMessage): Framing {
  const coding = message.headers['transfer-encoding'];
  if (coding !== undefined) {
    if (coding.trim().toLowerCase() === 'chunked') return 'chunked';
    throw new TunnelError('ERR_TUNNEL_UNSUPPORTED_CODING', `expected the transfer coding chunked, got ${coding}`);
  }
  return Number(message.headers['content-length'] ?? 0) > 0 ? 'sized' : 'none';
}

/**
 * The whole head of the request for the next hop. The framing is written out: left to node:http, a GET with a chunked body would go on
 * without any, and its body would be read there as the next request.
 */
export function requestHeaders(
  request: IncomingMessage,
  framing: Framing | 'upgrade',
  dropped: readonly string[] = [],
): string[] {
  // A Trailer header without chunks makes node:http throw.
  const headers = endToEnd(request.rawHeaders, framing === 'chunked' ? dropped : [...dropped, 'trailer']);
  if (framing === 'upgrade') {
    headers.push('Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? '');
    return headers;
  }
  if (framing === 'chunked') headers.push('Transfer-Encoding', 'chunked');
  else if (request.headers['content-length'] === undefined && !BODILESS.has(request.method ?? 'GET')) {
    headers.push('Content-Length', '0');
  }
  // The connection carries this request only. But a server that is told so closes at once when it answers before it has read the
  // body, and the reset that follows can overtake its answer.
  if (framing === 'none') headers.push('Connection', 'close');
  return headers;
}

/** Methods for which the absence of a body is the rule and goes without saying. */
const BODILESS = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);

/**
 * The head of a response for the hop back: end-to-end headers, and `added` ([name, value, …]) in place of what the origin calls the
 * same. node:http frames the body anew: chunked for HTTP/1.1, by the end of the connection for 1.0. Trailers go on without their
 * announcement, which node:http refuses to write in front of a body that it does not chunk.
 */
export function responseHeaders(head: IncomingMessage, added: readonly string[]): string[] {
  const dropped = ['trailer'];
  forEach(added, (name) => dropped.push(name.toLowerCase()));
  return [...endToEnd(head.rawHeaders, dropped), ...added];
}

/** The head of a 101 for the hop back: what the connection becomes is for both ends, though Upgrade is a hop-by-hop field. */
export function switchingHeaders(head: IncomingMessage, added: readonly string[]): string[] {
  return [...responseHeaders(head, added), 'Connection', 'Upgrade', 'Upgrade', head.headers.upgrade ?? ''];
}

/** Trailers as node:http takes them. */
export function trailerPairs(message: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = [];
  const end = endToEnd(message.rawTrailers);
  forEach(end, (name, value) => pairs.push([name, value]));
  return pairs;
}

function forEach(raw: readonly string[], visit: (name: string, value: string) => void): void {
  for (let index = 0; index + 1 < raw.length; index += 2) visit(raw[index] as string, raw[index + 1] as string);
}
