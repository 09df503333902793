// Which errors of a session its program hears of, and in which words: those of yamux-js, on which programs may act.

import type { YamuxError, YamuxErrorCode } from '@zishuo/yamux';
import { ERRORS } from './constants.ts';

/** By `code`. An end of the transport is not here: programs for yamux-js expect no error then, and streams tell it. */
const TEXTS: Readonly<Partial<Record<YamuxErrorCode, string>>> = {
  ERR_YAMUX_KEEP_ALIVE_TIMEOUT: ERRORS.errKeepAliveTimeout.message,
  ERR_YAMUX_PEER_STALLED: ERRORS.errConnectionWriteTimeout.message,
  ERR_YAMUX_SESSION_CLOSED: ERRORS.errSessionShutdown.message,
  ERR_YAMUX_STREAMS_EXHAUSTED: ERRORS.errStreamsExhausted.message,
  ERR_YAMUX_WRITE_TIMEOUT: ERRORS.errConnectionWriteTimeout.message,
};

const GO_AWAY_TEXTS: readonly string[] = [
  ERRORS.errRemoteGoAway.message,
  'yamux protocol error',
  'remote yamux internal error',
];

/** What the peer did, in the words of @zishuo/yamux. */
const PROTOCOL_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/protocol version/, ERRORS.errInvalidVersion.message],
  [/frame type/, ERRORS.errInvalidMsgType.message],
  [/whose id is in use/, ERRORS.errDuplicateStream.message],
  [/receive window/, ERRORS.errRecvWindowExceeded.message],
];

/** An error with the text that yamux-js has for `error`, which is its `cause`, and with the same `code`; undefined if there is none. */
export function failureOf(error: Error): Error | undefined {
  const text = textOf(error as YamuxError);
  const { code } = error as YamuxError;
  return text === undefined ? undefined : Object.assign(new Error(text, { cause: error }), { code });
}

function textOf({ code, goAwayCode = 0, message }: YamuxError): string | undefined {
  if (code === 'ERR_YAMUX_GO_AWAY') return GO_AWAY_TEXTS[goAwayCode] ?? 'unexpected go away received';
  if (code !== 'ERR_YAMUX_PROTOCOL') return TEXTS[code];
  const known = PROTOCOL_TEXTS.find(([rule]) => rule.test(message));
  return known?.[1] ?? ERRORS.errUnexpectedFlag.message;
}
