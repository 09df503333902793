// Every implementation carries every case, in one process and for a moment; and what goes missing is noticed. No figure is judged.

import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Case } from '../src/case.ts';
import { bulk } from '../src/cases/bulk.ts';
import { cases } from '../src/cases/index.ts';
import { openEchoClose } from '../src/cases/open-echo-close.ts';
import { pingPong } from '../src/cases/ping-pong.ts';
import type { ByteStream, Implementation } from '../src/implementation.ts';
import { implementations } from '../src/implementations/index.ts';
import { rawSocket } from '../src/implementations/raw-socket.ts';

async function drive({ listen, connect }: Implementation, { serve, drive }: Case): Promise<number> {
  const listening = await listen(serve);
  const connection = await connect(listening.port);
  try {
    return await drive(connection, 20);
  } finally {
    await connection.close();
    await listening.close();
  }
}

describe.each(implementations)('$name', (implementation) => {
  test.each(cases)('carries $name to its end', async (benchCase) => {
    const figure = await drive(implementation, benchCase);
    expect(figure).toBeGreaterThan(0);
    expect(figure).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});

test('bulk rejects when the receiver counts fewer bytes than were sent', async () => {
  const lossy: Case = { ...bulk(1, 65_536), serve: (stream) => bulk(1, 65_536).serve(losingAByteOfEachChunk(stream)) };
  await expect(drive(rawSocket, lossy)).rejects.toThrow(/^\d+ bytes were sent, and the receiver says \d+$/);
});

test.each([openEchoClose, pingPong])('$name rejects when a stream ends before the echo', async (benchCase) => {
  const open = async (): Promise<ByteStream> =>
    new Duplex({
      allowHalfOpen: false,
      read() {
        this.push(null);
      },
      write(_chunk, _encoding, callback) {
        callback();
      },
    });
  await expect(benchCase.drive({ open, async close() {} }, 20)).rejects.toThrow(/^closed .*0 of 64 bytes$/);
});

test('no two cases and no two implementations share a name', () => {
  for (const named of [cases, implementations]) {
    expect(new Set(named.map(({ name }) => name)).size).toBe(named.length);
  }
});

function losingAByteOfEachChunk(stream: ByteStream): ByteStream {
  return {
    write: (chunk) => stream.write(chunk),
    end: () => stream.end(),
    on(event: 'data' | 'drain' | 'end' | 'close', listener: (chunk: Uint8Array) => void) {
      if (event === 'data') return stream.on('data', (chunk) => listener(chunk.subarray(1)));
      return stream.on(event, listener as () => void);
    },
  };
}
