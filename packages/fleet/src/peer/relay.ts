// Two streams as one: bytes, ends and resets go through, in both directions, with their back-pressure.
import type { Duplex } from 'node:stream';

/**
 * The code of the RST by which a peer is told that a whole session was lost, and not one stream: what was under way on it may be done again elsewhere
 * where that is safe.
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

/** How one ends uncleanly is how the other does. */
function endTogether(one: Duplex, other: Duplex): void {
  one.on('error', (error) => breakOff(other, error));
  one.on('close', () => {
    if (!one.readableEnded || !one.writableFinished) breakOff(other, one.errored);
  });
}

/** With the code of the RST, where it was one. */
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
