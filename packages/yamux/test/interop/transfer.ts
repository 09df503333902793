// What the Go peer does with a stream (go-peer/transfer.go), done with one of ours, and told in the same words.
import { createHash, type Hash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Transfer } from './go-peer.ts';
import { payload } from './payload.ts';

/** Writes the payload of a seed, one chunk after the other; the caller ends the stream. */
export async function send(stream: Duplex, seed: number, size: number, chunk: number = 64 * 1024): Promise<Transfer> {
  const bytes = payload(seed, size);
  const hash = createHash('sha256');
  let sent = 0;
  try {
    for (; sent < size; sent += Math.min(chunk, size - sent)) {
      const next = bytes.subarray(sent, sent + chunk);
      await write(stream, next);
      hash.update(next);
    }
    return told(sent, hash, 'sent');
  } catch (error) {
    return told(sent, hash, codeOf(error));
  }
}

/** Reads to the end. */
export function receive(stream: Duplex): Promise<Transfer> {
  return drain(stream, finished(stream, { writable: false }));
}

/** Sends back what it reads as it reads it, and ends its half where the peer ended its own. */
export function echo(stream: Duplex): Promise<Transfer> {
  stream.pipe(stream);
  return drain(stream, finished(stream));
}

async function drain(stream: Duplex, end: Promise<void>): Promise<Transfer> {
  const hash = createHash('sha256');
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    hash.update(chunk);
    received += chunk.length;
  });
  try {
    await end;
    return told(received, hash, 'eof');
  } catch (error) {
    return told(received, hash, codeOf(error));
  }
}

function write(stream: Duplex, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()));
  });
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}

function told(bytes: number, hash: Hash, outcome: string): Transfer {
  return { bytes, sha256: hash.digest('hex'), outcome };
}
