// What an error of a session says, read from its `code`: no session's classes are imported.

const TAKES_NO_MORE: ReadonlyMap<unknown, string> = new Map([
  ['ERR_YAMUX_GO_AWAY', 'go-away'],
  ['ERR_YAMUX_SESSION_CLOSED', 'session-closed'],
  ['ERR_YAMUX_STREAMS_EXHAUSTED', 'streams-exhausted'],
]);

/** Why the session will never open another stream; undefined if the error does not say so. */
export function retirementOf(error: unknown): string | undefined {
  return TAKES_NO_MORE.get((error as { code?: unknown } | null | undefined)?.code);
}
