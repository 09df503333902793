// The target of a request, and the route that serves it.
import type { IncomingMessage } from 'node:http';
import { TunnelError } from '../errors.ts';
import { type RequestAddress, requestAddress } from '../http/request-address.ts';
import type { ExchangeContext } from './exchange-context.ts';

export interface Arrival {
  readonly address: RequestAddress;
  /** Undefined if no agent has ever served it. */
  readonly service: string | undefined;
}

/** Returns a promise if another gateway may have a route. @throws TunnelError for an invalid request. */
export function arrivalOf(
  { rawHeaders, method = '', url = '' }: IncomingMessage,
  { find, maxHeadersCount }: Pick<ExchangeContext, 'find' | 'maxHeadersCount'>,
): Arrival | Promise<Arrival> {
  if (rawHeaders.length / 2 > maxHeadersCount) {
    throw new TunnelError('ERR_TUNNEL_TOO_MANY_HEADERS', `expected at most ${maxHeadersCount} headers`);
  }
  const address = requestAddress(method, url, rawHeaders);
  const found = find(address.host, address.path);
  return found instanceof Promise ? found.then((service) => ({ address, service })) : { address, service: found };
}
