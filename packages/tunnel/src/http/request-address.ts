// Where a request wants to go: the host and the path on which it is routed. Whatever could be read in two ways, once here and once by
// the server behind, is refused.
import type { IncomingMessage } from 'node:http';
import { TunnelError } from '../errors.ts';
import { hostName, isHost } from './host.ts';

export interface RequestAddress {
  /** Without a port, in lower case. */
  readonly host: string;
  /** Begins with a slash; without the query. */
  readonly path: string;
}

/** @throws TunnelError with ERR_TUNNEL_BAD_REQUEST. */
export function requestAddress(request: IncomingMessage): RequestAddress {
  const url = request.url ?? '';
  // node:http hands on "GET http://elsewhere/ HTTP/1.1" as it came: its Host header and its target may name two servers.
  if (!url.startsWith('/')) throw badRequest('expected a path as the request target');
  // node:http shows the first Host header of several, and keeps them all in rawHeaders.
  let hosts = 0;
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    if (request.rawHeaders[index]?.toLowerCase() === 'host') hosts += 1;
  }
  if (hosts !== 1 || !isHost(request.headers.host ?? '')) throw badRequest('expected one Host header with a host name');
  const path = url.split(/[?#]/, 1)[0] as string;
  if (hasDotSegment(path)) throw badRequest('expected a path without . and .. segments');
  return { host: hostName(request.headers.host), path };
}

/** Clients resolve these before they send. A server that resolves them itself would serve /admin for /api/../admin. */
function hasDotSegment(path: string): boolean {
  const plain = path.replace(/%2e/gi, '.').replace(/%2f|%5c|\\/gi, '/');
  return /\/\.\.?(\/|$)/.test(plain);
}

function badRequest(message: string): TunnelError {
  return new TunnelError('ERR_TUNNEL_BAD_REQUEST', message);
}
