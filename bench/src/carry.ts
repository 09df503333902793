// Carries bytes through a link in one direction: with its delay, in order, and no faster than its bandwidth.

import type { Duplex } from 'node:stream';
import type { LinkShape } from './case.ts';
import { Link } from './link.ts';

/** The interval between deliveries: timers of Node have no finer resolution. */
const TICK_MS = 1;
/** The link takes no more when the far end has not taken this many bytes. */
const MAX_UNTAKEN = 8 * 1_048_576;

export function carry(from: Duplex, to: Duplex, shape: LinkShape): void {
  const link = new Link(shape);
  /** In the order of time. */
  const underWay: { readonly chunk: Buffer; readonly at: number }[] = [];
  let ended = false;
  const isFull = (now: number): boolean => link.waitMs(now) > 0 || to.writableLength > MAX_UNTAKEN;
  from.on('data', (chunk: Buffer) => {
    const now = performance.now();
    underWay.push({ chunk, at: link.send(now, chunk.length) });
    if (isFull(now)) from.pause();
  });
  from.on('end', () => {
    ended = true;
  });
  const timer = setInterval(() => {
    const now = performance.now();
    const ahead = underWay.findIndex(({ at }) => at > now);
    for (const { chunk } of underWay.splice(0, ahead === -1 ? underWay.length : ahead)) to.write(chunk);
    if (!isFull(now)) from.resume();
    if (!ended || underWay.length > 0) return;
    clearInterval(timer);
    to.end();
  }, TICK_MS);
  from.on('error', () => to.destroy());
  // The input may have ended long before the last byte comes out.
  to.on('close', () => {
    clearInterval(timer);
    from.destroy();
  });
}
