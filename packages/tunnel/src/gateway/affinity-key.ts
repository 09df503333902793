// What keeps the requests of one tenant on one session: a header, a cookie, or the client's address.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { clientAddress } from '../http/forwarded.ts';

/** The key of a request; undefined for one that is free to go anywhere. */
export type AffinityKey = (request: IncomingMessage, trustForwarded: boolean) => string | undefined;

/** The pool remembers tens of thousands of these, and clients choose them. */
const MAX_KEY_LENGTH = 128;

/**
 * From `header:<name>`, `cookie:<name>`, `ip` or `none`.
 * @throws TypeError for anything else.
 */
export function parseAffinity(text: string): AffinityKey {
  const [, kind, name = ''] = /^(header|cookie):([!#$%&'*+.^`|~\w-]+)$/.exec(text) ?? [];
  if (kind === 'header') return (request) => bounded(headerValue(request, name.toLowerCase()));
  if (kind === 'cookie') return (request) => bounded(cookieValue(request.headers.cookie ?? '', name));
  if (text === 'ip') return clientAddress;
  if (text === 'none') return () => undefined;
  throw new TypeError(`expected affinity to be header:<name>, cookie:<name>, ip or none, got "${text}"`);
}

function headerValue({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function cookieValue(cookies: string, name: string): string | undefined {
  for (const cookie of cookies.split(';')) {
    const equals = cookie.indexOf('=');
    if (equals !== -1 && cookie.slice(0, equals).trim() === name) return cookie.slice(equals + 1).trim();
  }
  return undefined;
}

function bounded(key: string | undefined): string | undefined {
  if (key === undefined || key === '') return undefined;
  return key.length <= MAX_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64');
}
