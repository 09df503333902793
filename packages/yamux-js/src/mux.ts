// The options of yamux-js, in its units, and what they are here.

import { MAX_DELAY, type SessionOptions } from '@zishuo/yamux';
import { initialStreamWindow } from './constants.ts';

/** Options of `Client`, `Server` and `Session`. Times in seconds, fractions too. Names that are not listed are ignored. */
export interface Config {
  /**
   * Streams of the peer alive at once; one past it is refused.
   * @defaultValue 256
   */
  acceptBacklog?: number | undefined;
  /**
   * Whether to ping the peer, and to give it up when it does not answer.
   * @defaultValue true
   */
  enableKeepAlive?: boolean | undefined;
  /**
   * Seconds between pings.
   * @defaultValue 30
   */
  keepAliveInterval?: number | undefined;
  /**
   * Seconds that a ping may stay unanswered while no byte moves; a connection that takes nothing is given up when a ping would have been.
   * Without keep-alive it means nothing, as in yamux-js.
   * @defaultValue 10
   */
  connectionWriteTimeout?: number | undefined;
  /**
   * Bytes to which the window of a stream may grow; less than 262,144 is taken for that.
   * @defaultValue 262144
   */
  maxStreamWindowSize?: number | undefined;
  /**
   * Seconds after which a stream that the peer has not answered fails; 0 waits without end, as yamux-js does.
   * @defaultValue 0
   */
  streamOpenTimeout?: number | undefined;
  /**
   * Seconds after which a stream is destroyed on which close() was called and no byte moved since; 0 turns it off.
   * @defaultValue 300
   */
  streamCloseTimeout?: number | undefined;
  /**
   * Is given a line when the session fails.
   * @defaultValue console.log
   */
  logger?: typeof console.log | undefined;
}

/** A Config without gaps. */
export type FullConfig = { -readonly [Name in keyof Config]-?: NonNullable<Config[Name]> };

/** What a Config leaves out. As in yamux-js, a program may change it for all sessions to come. */
export const defaultConfig: FullConfig = {
  acceptBacklog: 256,
  enableKeepAlive: true,
  keepAliveInterval: 30,
  connectionWriteTimeout: 10,
  maxStreamWindowSize: initialStreamWindow,
  streamOpenTimeout: 0,
  streamCloseTimeout: 300,
  logger: console.log,
};

export function withDefaults(config: Config): FullConfig {
  const given = Object.entries(config).filter(([, value]) => value !== undefined);
  return { ...defaultConfig, ...Object.fromEntries(given) };
}

export function milliseconds(seconds: number): number {
  return Math.min(Math.round(seconds * 1000), MAX_DELAY);
}

export function sessionOptions(config: FullConfig, acceptsStreams: boolean): SessionOptions {
  const { acceptBacklog, enableKeepAlive, keepAliveInterval, connectionWriteTimeout, maxStreamWindowSize } = config;
  return {
    acceptBacklog: acceptsStreams ? acceptBacklog : 0,
    maxInboundStreams: acceptBacklog,
    // open() gives a stream that has its id.
    maxUnacknowledged: Number.POSITIVE_INFINITY,
    maxStreamWindow: Math.max(maxStreamWindowSize, initialStreamWindow),
    keepAliveInterval: enableKeepAlive ? milliseconds(keepAliveInterval) : 0,
    keepAliveTimeout: milliseconds(connectionWriteTimeout),
    // A connection that takes nothing is given up when the ping that waits behind it would have been, as yamux-js does.
    writeTimeout: enableKeepAlive ? milliseconds(keepAliveInterval + connectionWriteTimeout) : 0,
  };
}
