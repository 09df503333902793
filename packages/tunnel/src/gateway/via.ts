// Via: the gateways that a request has passed (RFC 9110 §7.6.3). It reveals loops.
import type { IncomingMessage } from 'node:http';
import { TunnelError } from '../errors.ts';

/**
 * The Via for the next hop. `own`: this gateway and the route, so that a request may come through the gateway again on its way to another.
 * @throws TunnelError with ERR_TUNNEL_LOOP for one that has been here.
 */
export function viaFor({ httpVersion, headers }: IncomingMessage, own: string): string {
  const before = headers.via;
  if (before === undefined || before === '') return `${httpVersion} ${own}`;
  if (before.split(',').some((hop) => hop.trim().split(/\s+/)[1] === own)) {
    throw new TunnelError('ERR_TUNNEL_LOOP', 'the route leads back to this gateway');
  }
  return `${before}, ${httpVersion} ${own}`;
}
