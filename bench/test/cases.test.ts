// Every contender that runs in Node carries every case for a short time, and lost data is detected. No figure is checked.

import { Duplex, duplexPair } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { Case } from '../src/case.ts';
import { bulk } from '../src/cases/bulk.ts';
import { idleMemory } from '../src/cases/idle-memory.ts';
import { openEchoClose } from '../src/cases/open-echo-close.ts';
import { pingPong } from '../src/cases/ping-pong.ts';
import { chunkOf, Sender } from '../src/cases/sender.ts';
import type { ByteStream, Implementation } from '../src/implementation.ts';
import { yamuxJs } from '../src/implementations/yamux-js.ts';
import { serve } from '../src/serve.ts';
import { trials } from '../src/trials.ts';

async function drive({ listen, connect }: Implementation, benchCase: Case): Promise<readonly number[]> {
  const listening = await listen(serve);
  const connection = await connect(listening.port);
  try {
    return await benchCase.drive(connection, 20);
  } finally {
    await connection.close();
    await listening.close();
  }
}

/** The same case with fewer streams, if it has many: the code is the same. */
const SMALLER: Readonly<Record<string, Case>> = {
  'bulk-100': bulk({ name: 'bulk-100', title: '', streams: 20, bytesPerWrite: 65_536 }),
  'bulk-10000': bulk({ name: 'bulk-10000', title: '', streams: 50, bytesPerWrite: 1024 }),
  'bulk-1-far': bulk({ name: 'bulk-1-far', title: '', streams: 1, bytesPerWrite: 65_536, rampMs: 20 }),
  'idle-memory': idleMemory(50),
};

const ofNode = trials.flatMap(({ benchCase, contenders }) =>
  contenders.flatMap((contender) =>
    'listen' in contender && contender !== yamuxJs
      ? [{ name: contender.name, contender, benchCase: SMALLER[benchCase.name] ?? benchCase }]
      : [],
  ),
);

test.each(ofNode)('$name carries $benchCase.name to its end', async ({ contender, benchCase }) => {
  const figures = await drive(contender, benchCase);
  expect(figures).toHaveLength(benchCase.figures.length);
  for (const figure of figures) expect(Number.isFinite(figure)).toBe(true);
});

test('bulk rejects when the receiver counts fewer bytes than were sent', async () => {
  const one = bulk({ name: 'bulk', title: '', streams: 1, bytesPerWrite: 65_536 });
  const [near, far] = duplexPair();
  serve(losingAByteOfEachChunk(far));
  const driven = one.drive({ open: async () => near, async close() {} }, 20);
  await expect(driven).rejects.toThrow(/^\d+ bytes were sent, and the receiver says \d+$/);
});

test('bulk sends data on each stream, however late it starts', async () => {
  const one = bulk({ name: 'bulk', title: '', streams: 1, bytesPerWrite: 65_536 });
  const [near, far] = duplexPair();
  serve(far);
  const [figure] = await one.drive({ open: async () => near, async close() {} }, 0);
  expect(figure).toBeGreaterThan(0);
});

test('a sender with a pace is never more than one write ahead of it', async () => {
  const [near, far] = duplexPair();
  serve(far);
  const [pace, chunk] = [1024, chunkOf(4096)];
  const start = performance.now();
  const sent = await new Sender(near, chunk, pace).send(20);
  expect(sent).toBeLessThanOrEqual(pace * (performance.now() - start) + chunk.length);
});

describe.each([openEchoClose, pingPong])('$name', (benchCase) => {
  test('rejects when a stream ends before the echo', async () => {
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
});

test('no two figures, and no two contenders of a case, share a name', () => {
  const figures = trials.flatMap(({ benchCase }) => benchCase.figures);
  for (const named of [figures, ...trials.map(({ contenders }) => contenders)]) {
    expect(new Set(named.map(({ name }) => name)).size).toBe(named.length);
  }
});

function losingAByteOfEachChunk(stream: ByteStream): ByteStream {
  return {
    write: (chunk) => stream.write(chunk),
    end: () => stream.end(),
    on(event: 'data' | 'drain' | 'end' | 'close', listener: (chunk: Uint8Array) => void) {
      if (event === 'data') return stream.on('data', (chunk) => listener(chunk.subarray(chunk.length > 1 ? 1 : 0)));
      return stream.on(event, listener as () => void);
    },
  };
}
