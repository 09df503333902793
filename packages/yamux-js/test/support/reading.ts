// Ways in which programs read from a stream that does not tell its end.

import type { Duplex, Readable } from 'node:stream';

/** The first line, without its end, and what came in one chunk with it and is behind it. The stream flows on. */
export function readLine(stream: Readable): Promise<{ line: string; rest: Buffer }> {
  return new Promise((resolve) => {
    let buffer: Buffer = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      buffer = Buffer.concat([buffer, chunk]);
      const end = buffer.indexOf('\n');
      if (end === -1) return;
      stream.off('data', onData);
      resolve({ line: buffer.toString('utf8', 0, end), rest: buffer.subarray(end + 1) });
    };
    stream.on('data', onData);
  });
}

/** Exactly `size` bytes, by read(n). */
export function readBytes(stream: Duplex, size: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const onReadable = (): void => {
      const chunk = stream.read(size) as Buffer | null;
      if (chunk === null) return;
      stream.off('readable', onReadable);
      resolve(chunk);
    };
    stream.on('readable', onReadable);
    onReadable();
  });
}

/** All that comes until it is `size` bytes or more. */
export function readUntil(stream: Readable, size: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= size) resolve(Buffer.concat(chunks));
    });
  });
}
