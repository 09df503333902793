import type { Duplex } from 'node:stream';

/**
 * The few members of a session that a pool needs. A YamuxSession fits as it is; so does anything else that opens
 * streams and tells its end by `'close'`.
 */
export interface PoolableSession {
  /**
   * Opens one stream. It settles, at the latest, when the session ends.
   * Rejections by code `ERR_YAMUX_GO_AWAY`, `ERR_YAMUX_SESSION_CLOSED` and `ERR_YAMUX_STREAMS_EXHAUSTED` drain the session.
   */
  open(options?: { signal?: AbortSignal | undefined }): Promise<Duplex>;
  /**
   * `'close'`: it has ended. `'goAway'`: its peer takes no new streams. `'error'` is listened to so that it throws nowhere; `errored` says
   * what it was.
   */
  on(event: 'close' | 'error' | 'goAway', listener: () => void): unknown;
  /** Takes a listener off again: a session that leaves the pool has none of its. */
  off(event: 'close' | 'error' | 'goAway', listener: () => void): unknown;
  /** `'closed'` once the session has ended; other values mean nothing here. */
  readonly state?: string;
  /** What it ended with, if that was an error: told by `onSessionRemoved`. */
  readonly errored?: Error | null | undefined;
  /** Round trip in milliseconds, if known. Shown to strategies and in snapshots. */
  readonly rtt?: number | undefined;
  /**
   * Milliseconds for which what its streams wrote has waited in vain, for the transport or for the peer's leave to send; 0 where nothing has. Shown to
   * strategies: a peer that acknowledges streams and reads none of them is known by nothing else.
   */
  readonly stalledFor?: number | undefined;
  /** Resolves when the peer has answered: how an unhealthy session is probed before it gets another stream. */
  ping?(): Promise<unknown>;
  /** Graceful end; called by a drain with `onTimeout: 'close'`. */
  close?(): unknown;
  /** Abrupt end; called by the same drain where there is no `close`, and by `closeFailedSessions`. */
  destroy?(error?: Error): unknown;
}

/** What a session of that type opens. */
export type StreamOf<Session extends PoolableSession> = Session extends {
  open(...args: never[]): Promise<infer Stream extends Duplex>;
}
  ? Stream
  : Duplex;
