// Connects two streams: passes bytes, ends and resets on in both directions, with back-pressure.
import type { Duplex } from 'node:stream';

/**
 * The code of an RST that tells a peer that a whole session was lost, not one stream. Safe requests on it may be repeated elsewhere.
 */
export const SESSION_LOST = 0x4c4f_5354;

interface Resettable {
  reset?(errorCode: number): unknown;
}

export function relay(one: Duplex, other: Duplex): void {
  one.pipe(other);
  other.pipe(one);
  endTogether(one, other);
  endTogether(other, one);
}

/** Passes an unclean end of one stream on to the other. */
function endTogether(one: Duplex, other: Duplex): void {
  one.on('error', (error) => breakOff(other, error));
  one.on('close', () => {
    if (!one.readableEnded || !one.writableFinished) breakOff(other, one.errored);
  });
}

/** Resets with the code of the RST, if there was one. */
function breakOff(stream: Duplex, error: unknown): void {
  if (stream.destroyed) return;
  const { errorCode = codeOf(error) } = (error ?? {}) as { readonly errorCode?: number };
  const { reset } = stream as Duplex & Resettable;
  if (errorCode !== undefined && reset !== undefined) reset.call(stream, errorCode);
  else stream.destroy();
}

function codeOf(error: unknown): number | undefined {
  const { scope } = (error ?? {}) as { readonly scope?: unknown };
  return scope === 'session' ? SESSION_LOST : undefined;
}
