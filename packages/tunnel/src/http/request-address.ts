// The host and the path by which a request is routed. A value that the server behind could read differently is refused.
import { TunnelError } from '../errors.ts';
import type { RawHeaders } from '../exchange/block.ts';
import { hostName, isHost } from './host.ts';

export interface RequestAddress {
  /** Without a port, in lower case. */
  readonly host: string;
  /** Begins with a slash; without the query. */
  readonly path: string;
  /** The target for the next hop: a path with its query, or `*`. */
  readonly target: string;
}

/** @throws TunnelError with ERR_TUNNEL_BAD_REQUEST. */
export function requestAddress(method: string, url: string, rawHeaders: RawHeaders): RequestAddress {
  const host = theHost(rawHeaders);
  const target = originForm(method, url, host);
  // OPTIONS * is about the server as a whole: it goes to the route of the root path.
  const path = target === '*' ? '/' : (target.split(/[?#]/, 1)[0] as string);
  if (hasDotSegment(path)) throw badRequest('expected a path without . and .. segments');
  return { host: hostName(host), path, target };
}

function theHost(rawHeaders: RawHeaders): string {
  let host: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    // With several Host headers node:http shows the first one, and keeps all in rawHeaders.
    if (host !== undefined) throw badRequest('expected one Host header with a host name');
    host = rawHeaders[index + 1];
  }
  if (host === undefined || !isHost(host)) throw badRequest('expected one Host header with a host name');
  return host;
}

function originForm(method: string, url: string, host: string): string {
  if (url.startsWith('/') || (url === '*' && method === 'OPTIONS')) return url;
  // The absolute form is for proxies, but every server must accept it (RFC 9112 §3.2.2). It may contradict Host.
  const [, authority = '', rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  if (authority.toLowerCase() !== host.toLowerCase()) throw badRequest('expected a path as the request target');
  if (rest === '') return method === 'OPTIONS' ? '*' : '/';
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Whether a path has dot segments. Clients resolve them before they send. A server that resolves them itself would serve /admin for /api/../admin. */
function hasDotSegment(path: string): boolean {
  const plain = path.replace(/%2e/gi, '.').replace(/%2f|%5c|\\/gi, '/');
  // Some servers remove the part after a semicolon, or a zero byte, before they resolve the path.
  return /\/\.\.?(\/|;|%3b|%00|$)/i.test(plain);
}

function badRequest(message: string): TunnelError {
  return new TunnelError('ERR_TUNNEL_BAD_REQUEST', message);
}
