// The key that masks what a client sends. `ws` skips the work for an all-zero key, in the sender and in the receiver.
import { randomFillSync } from 'node:crypto';

/** What `ws` calls for the key of each frame. */
type MaskGenerator = (mask: Buffer) => void;

/**
 * The option `generateMask` of `ws`; undefined leaves the keys to `ws`, which takes random ones. `currentUrl` is asked at each frame: a
 * redirect may have left `wss:`.
 */
export function maskGenerator(
  url: string | URL,
  maskPayload: boolean | undefined,
  currentUrl: () => string,
): MaskGenerator | undefined {
  if (maskPayload === false) return (mask) => mask.fill(0);
  if (maskPayload === true || !isEncrypted(String(url))) return undefined;
  return (mask) => (isEncrypted(currentUrl()) ? mask.fill(0) : randomFillSync(mask));
}

function isEncrypted(url: string): boolean {
  return /^\s*(wss|https):/i.test(url);
}
