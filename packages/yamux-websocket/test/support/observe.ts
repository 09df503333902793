// Records the events of a stream in order, so that a test can compare them.
import type { Duplex } from 'node:stream';

export interface Observed {
  readonly events: readonly string[];
  readonly error: (Error & { code?: unknown; closeCode?: unknown }) | undefined;
  readonly bytes: () => Buffer;
}

/** Reads the stream to its end unless `read` is false. */
export function observe(stream: Duplex, read = true): Observed {
  const events: string[] = [];
  const chunks: Buffer[] = [];
  const observed = { events, error: undefined as Error | undefined, bytes: () => Buffer.concat(chunks) };
  if (read) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const event of ['end', 'finish', 'close']) stream.on(event, () => events.push(event));
  stream.on('error', (error: Error) => {
    events.push('error');
    observed.error = error;
  });
  return observed;
}

/** Resolves when all callbacks that were due have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}

/** Like once(stream, 'close'), but it does not reject on 'error'. */
export function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', resolve);
  });
}
