// The life of one session. Everything that changes it is in this file; what was said about new streams (GoAway, ids used up) is independent of
// it and lives elsewhere.
//
//      open ── close() ──▶ closing ── last stream gone ──▶ ending ── transport closed ──▶ closed
//        └────── the transport ends, nothing is alive ───────▲
//
//   destroy(): closed, from any of the three. An unclean end: failed, from any of the three.

export type Life =
  /** Streams may be opened and accepted. */
  | { readonly phase: 'open' }
  /** close() waits for live streams; none are opened or accepted. */
  | { readonly phase: 'closing' }
  /** No stream is alive and the last word is said: the transport has only to close. */
  | { readonly phase: 'ending' }
  /** Over, cleanly. */
  | { readonly phase: 'closed' }
  /** Over, because of `error`. */
  | { readonly phase: 'failed'; readonly error: Error };

export const OPEN: Life = { phase: 'open' };
export const CLOSING: Life = { phase: 'closing' };
export const ENDING: Life = { phase: 'ending' };
export const CLOSED: Life = { phase: 'closed' };

export function failedWith(error: Error): Life {
  return { phase: 'failed', error };
}

/** Frames are received, and streams live. */
export function isRunning({ phase }: Life): boolean {
  return phase === 'open' || phase === 'closing';
}

/** Nothing will change any more. */
export function isOver({ phase }: Life): boolean {
  return phase === 'closed' || phase === 'failed';
}

/** Why it ended uncleanly; null otherwise. */
export function errorOf(life: Life): Error | null {
  return life.phase === 'failed' ? life.error : null;
}
