// Who the client is: what the gateway tells the origin about it, X-Forwarded-For, -Proto and -Host. What a client claims about itself goes on
// only if the gateway stands behind proxies that are trusted to have written it, and only as far as they did.
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Names by which proxies and applications tell and read who the client is, besides all X-Forwarded-*. */
const CLAIMS: ReadonlySet<string> = new Set([
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'true-client-ip',
  'cf-connecting-ip',
]);
/** Written by the gateway itself, whoever is trusted. */
const OURS: ReadonlySet<string> = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-request-id']);

/** Whether the gateway takes a header (lower case) of a client away. CGI, WSGI and Rack read X_Real_IP as X-Real-IP: nobody trusted writes it. */
export function isClaim(name: string, isTrusted: boolean): boolean {
  if (OURS.has(name)) return true;
  const isSpelledOtherwise = name.includes('_');
  const plain = isSpelledOtherwise ? name.replaceAll('_', '-') : name;
  if (!CLAIMS.has(plain) && !plain.startsWith('x-forwarded-') && !OURS.has(plain)) return false;
  return !isTrusted || isSpelledOtherwise;
}

/** Headers to add, [name, value, …]. `hops`: so many proxies in front are trusted. */
export function forwardedHeaders(request: IncomingMessage, host: string, hops: number): string[] {
  const address = plainAddress(request.socket.remoteAddress ?? 'unknown');
  const encrypted = 'encrypted' in request.socket && request.socket.encrypted === true;
  const isTrusted = hops > 0;
  const before = isTrusted ? claimed(request, 'x-forwarded-for') : undefined;
  return [
    'X-Forwarded-For',
    before === undefined ? address : `${before}, ${address}`,
    'X-Forwarded-Proto',
    (isTrusted ? claimed(request, 'x-forwarded-proto') : undefined) ?? (encrypted ? 'https' : 'http'),
    'X-Forwarded-Host',
    (isTrusted ? claimed(request, 'x-forwarded-host') : undefined) ?? host,
  ];
}

/**
 * Of the client itself: with proxies in front that are trusted, the address that the first of them saw; what stands before that is the
 * client's claim.
 */
export function clientAddress(request: IncomingMessage, hops: number): string {
  const own = plainAddress(request.socket.remoteAddress ?? 'unknown');
  if (hops === 0) return own;
  const seen = claimed(request, 'x-forwarded-for')?.split(',') ?? [];
  const first = seen[Math.max(0, seen.length - hops)]?.trim();
  return first === undefined || first === '' ? own : withoutPort(first);
}

/** An IPv4 client of a port that takes IPv6, too, is one of IPv4. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && isIP(address.slice(7)) === 4 ? address.slice(7) : address;
}

/** Some proxies write address:port: each connection of a client would be another client. */
function withoutPort(text: string): string {
  const [, v6, v4] = /^(?:\[([\da-f:.]+)\](?::\d+)?|([\d.]+):\d+)$/i.exec(text) ?? [];
  return plainAddress(v6 ?? v4 ?? text);
}

function claimed(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
