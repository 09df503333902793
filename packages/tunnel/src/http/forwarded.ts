// What the gateway tells the origin about the public client: X-Forwarded-For, -Proto and -Host. What a client claims about itself
// goes on only if the gateway stands behind a proxy that is trusted to have written it.
import type { IncomingMessage } from 'node:http';

export const FORWARDED_NAMES: readonly string[] = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
];

/** Headers to add, [name, value, …]; those of FORWARDED_NAMES that the request brought must be dropped. */
export function forwardedHeaders(request: IncomingMessage, trusted: boolean): string[] {
  const address = request.socket.remoteAddress ?? 'unknown';
  const encrypted = 'encrypted' in request.socket && request.socket.encrypted === true;
  const before = trusted ? claimed(request, 'x-forwarded-for') : undefined;
  return [
    'X-Forwarded-For',
    before === undefined ? address : `${before}, ${address}`,
    'X-Forwarded-Proto',
    (trusted ? claimed(request, 'x-forwarded-proto') : undefined) ?? (encrypted ? 'https' : 'http'),
    'X-Forwarded-Host',
    (trusted ? claimed(request, 'x-forwarded-host') : undefined) ?? request.headers.host ?? '',
  ];
}

/** Of the client itself: with a proxy in front that is trusted, the one that it saw; what stands before that is the client's claim. */
export function clientAddress(request: IncomingMessage, trusted: boolean): string | undefined {
  const seenByProxy = trusted ? claimed(request, 'x-forwarded-for')?.split(',').at(-1)?.trim() : undefined;
  return seenByProxy || request.socket.remoteAddress;
}

function claimed(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}
