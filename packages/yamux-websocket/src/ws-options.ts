// What the constructors of `ws` should be told so that a byte stream over their sockets is fast and bounded.
import { resolveStreamOptions, type WebSocketStreamOptions } from './options.ts';

/** For `new WebSocket(url, options)` and `new WebSocketServer(options)` alike. */
export interface RecommendedWsOptions {
  /** An idle connection with compression costs 266 KiB instead of 11, and what a tunnel carries is compressed already. */
  readonly perMessageDeflate: false;
  /** The largest message that is taken, in bytes: a larger one is refused before it is received. */
  readonly maxPayload: number;
  /** How many frames a message may come in: proxies may cut, but not into crumbs. */
  readonly maxFragments: number;
  /** How long a closing handshake may take, in milliseconds. */
  readonly closeTimeout: number;
}

/**
 * What `dial()` and `acceptUpgrades()` use, for those who make their sockets themselves. `options` are those of the stream that will be
 * made of the socket.
 *
 * @throws {TypeError | RangeError} for a bad option.
 */
export function recommendedWsOptions(options?: WebSocketStreamOptions): RecommendedWsOptions {
  const { maxInboundMessageBytes, closeTimeout } = resolveStreamOptions(options);
  return { perMessageDeflate: false, maxPayload: maxInboundMessageBytes, maxFragments: 16_384, closeTimeout };
}
