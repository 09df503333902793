// The key that masks the messages of a client. `ws` skips the masking work for an all-zero key, at the sender and at the receiver.
import { randomFillSync } from 'node:crypto';

/** `ws` calls it for each frame, to fill in the key. */
type MaskGenerator = (mask: Buffer) => void;

/**
 * The option `generateMask` of `ws`; with undefined `ws` makes random keys. `currentUrl` is called for each frame, because a redirect may
 * lead from `wss:` to `ws:`.
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
