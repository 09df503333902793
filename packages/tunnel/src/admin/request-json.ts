// The body of an action request: a small JSON object, or nothing.
import type { IncomingMessage } from 'node:http';
import { TunnelError } from '../errors.ts';

const MAX_BODY = 4_096;

/** @throws TunnelError with ERR_TUNNEL_BAD_REQUEST for anything else. */
export async function requestJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request as AsyncIterable<string>) {
    text += chunk;
    if (text.length > MAX_BODY) throw badRequest(`at most ${MAX_BODY} characters`);
  }
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // reported below
  }
  throw badRequest('a JSON object');
}

function badRequest(expected: string): TunnelError {
  return new TunnelError('ERR_TUNNEL_BAD_REQUEST', `expected ${expected} as the body`);
}
