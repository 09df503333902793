// Recommended options for the constructors of `ws`: they make a byte stream over its sockets fast and bounded.
import { checkSessionOptions, LONGEST_CLOSE_TIMEOUT, type SessionOptions } from '@zishuo/yamux';
import { checkOptionsObject } from './arguments.ts';
import { maxMessageFor, resolveStreamOptions, type WebSocketStreamOptions } from './options.ts';

/** Options for both `new WebSocket(url, options)` and `new WebSocketServer(options)`. */
export interface RecommendedWsOptions {
  /** No compression: with it an idle connection costs 266 KiB instead of 11, and most traffic of a tunnel is already compressed. */
  readonly perMessageDeflate: false;
  /** The largest accepted message, in bytes. A larger one is refused before it is received. */
  readonly maxPayload: number;
  /** The most frames of one message: a proxy may split messages, but not into thousands of pieces. */
  readonly maxFragments: number;
  /**
   * How long `ws` waits for the end of a closing handshake, in milliseconds. It is at least the longest `closeTimeout` that a session may set on
   * its byte stream, so that the byte stream ends the handshake first.
   */
  readonly closeTimeout: number;
}

/**
 * The options of `ws` that `dial()` and `acceptUpgrades()` use, for programs that make their sockets themselves. Pass the options of the session
 * and the byte stream that the socket will carry: the largest accepted message follows from `maxStreamWindow`.
 *
 * For a client's socket over `wss:` add `generateMask: (mask) => mask.fill(0)`, as `dial()` does: `ws` then skips the masking work at both
 * ends.
 *
 * @throws {TypeError | RangeError} for an invalid option.
 */
export function recommendedWsOptions(
  yamuxOptions?: SessionOptions,
  streamOptions?: WebSocketStreamOptions,
): RecommendedWsOptions {
  const { maxInboundMessageBytes, closeTimeout } = resolveStreamOptions(
    sessionStreamOptions(yamuxOptions, streamOptions),
  );
  return {
    perMessageDeflate: false,
    maxPayload: maxInboundMessageBytes,
    maxFragments: 16_384,
    closeTimeout: Math.max(closeTimeout, LONGEST_CLOSE_TIMEOUT),
  };
}

/**
 * The options of a byte stream that carries a session: a message may be as large as the largest legal frame.
 *
 * @throws {TypeError | RangeError} for an invalid option, also of the session, so that a server finds it before the first client comes.
 */
export function sessionStreamOptions(
  yamuxOptions: SessionOptions | undefined,
  streamOptions: WebSocketStreamOptions | undefined,
): WebSocketStreamOptions {
  checkOptionsObject('yamux', yamuxOptions);
  checkSessionOptions(yamuxOptions, 'yamux');
  checkOptionsObject('the byte stream', streamOptions); // the copy below would ignore a function
  const maxInboundMessageBytes = streamOptions?.maxInboundMessageBytes ?? maxMessageFor(yamuxOptions?.maxStreamWindow);
  return { ...streamOptions, maxInboundMessageBytes };
}
