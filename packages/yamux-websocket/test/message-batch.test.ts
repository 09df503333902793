import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eachMessage, JOIN_BELOW } from '../src/message-batch.ts';

function messagesOf(chunks: readonly Uint8Array[], maxMessageBytes: number): Uint8Array[] {
  const messages: Uint8Array[] = [];
  eachMessage(chunks, maxMessageBytes, (message) => messages.push(message));
  return messages;
}

/** The byte offsets at which one message ends and the next begins. */
function boundaries(parts: readonly Uint8Array[]): number[] {
  let at = 0;
  return parts.map((part) => {
    at += part.length;
    return at;
  });
}

const length = fc.oneof(
  fc.nat(64),
  fc.nat(JOIN_BELOW + 2),
  fc.constantFrom(JOIN_BELOW - 1, JOIN_BELOW, 32_768, 65_536, 70_000),
);
const chunks = fc.array(
  length.map((size) => Buffer.alloc(size, size)),
  { maxLength: 20 },
);
const maxMessageBytes = fc.constantFrom(100, 1024, JOIN_BELOW, 65_536);

describe('a batch of chunks', () => {
  it('arrives whole and in order, in messages that are neither empty nor too large', () => {
    fc.assert(
      fc.property(chunks, maxMessageBytes, (batch, max) => {
        const messages = messagesOf(batch, max);
        expect(Buffer.concat(messages).equals(Buffer.concat(batch))).toBe(true);
        for (const message of messages) {
          expect(message.length).toBeGreaterThan(0);
          expect(message.length).toBeLessThanOrEqual(max);
        }
      }),
    );
  });

  it('is never split inside a chunk that fits in a message', () => {
    fc.assert(
      fc.property(chunks, maxMessageBytes, (batch, max) => {
        const ends = boundaries(batch);
        const inside = new Set<number>();
        batch.forEach((chunk, index) => {
          const end = ends[index] ?? 0;
          if (chunk.length <= max)
            for (const cut of boundaries(messagesOf(batch, max))) {
              if (cut > end - chunk.length && cut < end) inside.add(cut);
            }
        });
        expect([...inside]).toEqual([]);
      }),
    );
  });

  it('puts as many small chunks in each message as fit', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 60 }), (sizes) => {
        const filled: number[] = [];
        for (const size of sizes) {
          const last = filled.at(-1);
          if (last !== undefined && last + size <= 65_536) filled[filled.length - 1] = last + size;
          else filled.push(size);
        }
        const batch = sizes.map((size) => Buffer.alloc(size));
        expect(messagesOf(batch, 65_536).map((message) => message.length)).toEqual(filled);
      }),
    );
  });

  it('copies no chunk of 16 KiB or more', () => {
    fc.assert(
      fc.property(chunks, maxMessageBytes, (batch, max) => {
        const large = new Set(batch.filter((chunk) => chunk.length >= JOIN_BELOW).map((chunk) => chunk.buffer));
        const sent = new Set(messagesOf(batch, max).map((message) => message.buffer));
        for (const memory of large) expect(sent.has(memory)).toBe(true);
      }),
    );
  });

  it.each([5, JOIN_BELOW, 65_536])('passes a single chunk of %i bytes on unchanged', (size) => {
    const chunk = Buffer.alloc(size);
    expect(messagesOf([chunk], 65_536)[0]).toBe(chunk);
  });

  it('separates a header from a large payload, and keeps small frames together', () => {
    const header = Buffer.alloc(12);
    const frames = [header, Buffer.alloc(40), header, Buffer.alloc(32_768), header];
    expect(messagesOf(frames, 65_536).map((message) => message.length)).toEqual([64, 32_768, 12]);
  });
});
