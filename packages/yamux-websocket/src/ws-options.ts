// Options for the constructors of `ws`, with which a byte stream over their sockets is fast and bounded.
import { checkSessionOptions, LONGEST_CLOSE_TIMEOUT, type SessionOptions } from '@zishuo/yamux';
import { checkOptionsObject } from './arguments.ts';
import { maxMessageFor, resolveStreamOptions, type WebSocketStreamOptions } from './options.ts';

/** For `new WebSocket(url, options)` and `new WebSocketServer(options)` alike. */
export interface RecommendedWsOptions {
  /** An idle connection with compression costs 266 KiB instead of 11, and what a tunnel carries is compressed already. */
  readonly perMessageDeflate: false;
  /** The largest message that is taken, in bytes: a larger one is refused before it is received. */
  readonly maxPayload: number;
  /** How many frames a message may come in: a proxy may cut messages, but not into thousands of pieces. */
  readonly maxFragments: number;
  /**
   * How long `ws` waits for the end of a closing handshake, in milliseconds: not less than a session may give its byte stream, which ends it earlier
   * by its own `closeTimeout`.
   */
  readonly closeTimeout: number;
}

/**
 * What `dial()` and `acceptUpgrades()` use, for programs that make their sockets themselves. Pass the options of the session and of the stream
 * that the socket will carry: a message may be as large as the largest frame of a session with this `maxStreamWindow`.
 *
 * A client's socket over `wss:` should have `generateMask: (mask) => mask.fill(0)` beside them, as `dial()` gives it: `ws` then works on no
 * byte of what is sent, at either end.
 *
 * @throws {TypeError | RangeError} for a bad option.
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
 * The options of a stream that carries a session: a message may be as large as the largest legal frame.
 *
 * @throws {TypeError | RangeError} for a bad option, of the session too: on a server it would else be found with the first client.
 */
export function sessionStreamOptions(
  yamuxOptions: SessionOptions | undefined,
  streamOptions: WebSocketStreamOptions | undefined,
): WebSocketStreamOptions {
  checkOptionsObject('yamux', yamuxOptions);
  checkSessionOptions(yamuxOptions, 'yamux');
  checkOptionsObject('the byte stream', streamOptions); // it is copied below: a function would vanish
  const maxInboundMessageBytes = streamOptions?.maxInboundMessageBytes ?? maxMessageFor(yamuxOptions?.maxStreamWindow);
  return { ...streamOptions, maxInboundMessageBytes };
}
