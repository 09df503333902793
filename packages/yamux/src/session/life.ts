// The phases of one session and all changes between them. Whether new streams are possible (GoAway, ids used up) is independent of the phase
// and kept elsewhere.
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
  /** No stream is alive and GoAway was sent: only the transport has to close. */
  | { readonly phase: 'ending' }
  /** Ended cleanly. */
  | { readonly phase: 'closed' }
  /** Ended because of `error`. */
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

/** The reason of an unclean end; else null. */
export function errorOf(life: Life): Error | null {
  return life.phase === 'failed' ? life.error : null;
}
