// X-Forwarded-For, -Proto and -Host: the client's address for the origin. Values from the request are passed on only if the gateway is behind trusted
// proxies, and only the part that these proxies wrote.
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Headers that identify the client, besides X-Forwarded-*. */
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

/** Whether the gateway removes a client's header (lower case). CGI, WSGI and Rack read X_Real_IP as X-Real-IP, and no trusted proxy writes it. */
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
 * The address of the client: behind trusted proxies the address that the first of them saw. Addresses before it are only claims of the client.
 */
export function clientAddress(request: IncomingMessage, hops: number): string {
  const own = plainAddress(request.socket.remoteAddress ?? 'unknown');
  if (hops === 0) return own;
  const seen = claimed(request, 'x-forwarded-for')?.split(',') ?? [];
  const first = seen[Math.max(0, seen.length - hops)]?.trim();
  return first === undefined || first === '' ? own : withoutPort(first);
}

/** Normalizes an IPv4-mapped IPv6 address to IPv4. */
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
