// How streams are over: cleanly, or else an error.

import type { ByteStream } from '../implementation.ts';
import { inTime } from './patience.ts';

/** Ends them, and waits until the peer has done so too and they are closed. */
export async function endAll(streams: readonly ByteStream[]): Promise<void> {
  let open = streams.length;
  const over = streams.map(async (stream) => {
    await closed(stream);
    open -= 1;
  });
  for (const stream of streams) stream.end();
  await inTime(Promise.all(over), () => `${open} of ${streams.length} streams were ended and not closed`);
}

/** Resolves when it is closed. Rejects if that comes before the peer has ended it. */
function closed(stream: ByteStream): Promise<void> {
  return new Promise((resolve, reject) => {
    let ended = false;
    stream.on('end', () => {
      ended = true;
    });
    stream.on('close', () => {
      if (ended) resolve();
      else reject(new Error('a stream was closed before its peer ended it'));
    });
  });
}
