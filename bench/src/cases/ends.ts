// Waits for the end of streams: a clean end, or an error.

import type { ByteStream } from '../implementation.ts';
import { inTime } from './patience.ts';

/** Ends the streams, and waits until the peer has ended them too and they are closed. */
export async function endAll(streams: readonly ByteStream[]): Promise<void> {
  let open = streams.length;
  const over = streams.map(async (stream) => {
    await closed(stream);
    open -= 1;
  });
  for (const stream of streams) stream.end();
  await inTime(Promise.all(over), () => `${open} of ${streams.length} streams were ended and not closed`);
}

/** Resolves when the stream is closed. Rejects if it closes before the peer has ended it. */
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
