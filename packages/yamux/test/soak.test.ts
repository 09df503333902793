// Streams by the thousand over one session, ended in every way there is: nothing of them stays. 20,000 here, a million in `pnpm soak`.

import { type EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import { client, server, type YamuxSession, type YamuxStream } from '../src/index.ts';
import { collectGarbage } from './support/collect-garbage.ts';
import { duplexPair, type PairEnd, settle } from './support/duplex-pair.ts';
import { ManualClock } from './support/manual-clock.ts';
import { closed } from './support/pairs.ts';

const STREAMS = Number(process.env.SOAK_STREAMS ?? 20_000);
const BATCH = 100;
const MIB = 1024 * 1024;
/** 20,000 streams that left 160 bytes each would pass it; compiled code and caches move by up to 1 MiB. */
const GROWTH_LIMIT = 3 * MIB;

const MESSAGE = Buffer.alloc(64, 'm');

class Soak {
  readonly clock = new ManualClock();
  readonly #transports: readonly PairEnd[];
  readonly #client: YamuxSession;
  readonly #server: YamuxSession;
  #closed = 0;

  constructor() {
    const [left, right] = duplexPair();
    this.#transports = [left, right];
    const options = { clock: this.clock, resetBurst: Number.POSITIVE_INFINITY, maxUnacknowledged: BATCH };
    this.#client = client(left, options);
    this.#server = server(right, options);
    this.#server.on('stream', (stream) => this.#answer(stream));
  }

  async open(count: number): Promise<void> {
    for (let opened = 0; opened < count; opened += BATCH) {
      const indexes = Array.from({ length: Math.min(BATCH, count - opened) }, (_, index) => opened + index);
      await Promise.all(indexes.map((index) => this.#use(index)));
      // Of what a pair in memory passed on, it keeps a record.
      for (const transport of this.#transports) transport.taken.length = 0;
    }
    await settle();
  }

  #answer(stream: YamuxStream): void {
    const ending = stream.id % 10;
    stream.on('error', () => {});
    if (ending === 7) stream.reset(7);
    else stream.pipe(stream);
  }

  async #use(index: number): Promise<void> {
    const stream = await this.#client.open();
    const isClosed = closed(stream);
    stream.on('error', () => {}).setTimeout(1000);
    stream.write(MESSAGE);
    if (index % 5 === 1) {
      await once(stream, 'readable');
      stream.destroy(new Error('enough'));
    } else if (index % 5 === 2) stream.end().destroy();
    else stream.resume().end();
    await isClosed;
    this.#closed += 1;
  }

  /** What must be the same after any number of streams. */
  get left(): unknown {
    const emitters: EventEmitter[] = [this.#client, this.#server, ...this.#transports];
    const listeners = emitters.map((emitter) =>
      emitter.eventNames().map((name) => [name, emitter.listenerCount(name)]),
    );
    const streams = [this.#client, this.#server].map((session) => {
      const { streams, backlog, unacknowledged, waitingOpens, queuedBytes } = session.stats();
      return { streams, backlog, unacknowledged, waitingOpens, queuedBytes };
    });
    return { timers: this.clock.pending, listeners, streams, handles: process.getActiveResourcesInfo().length };
  }

  get closed(): number {
    return this.#closed;
  }
}

function memory(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test(`${STREAMS.toLocaleString('en')} streams leave no memory, no timer, no listener`, async () => {
  const soak = new Soak();
  // The first ones warm up what stays: compiled code, pools, the hash table of streams at its largest.
  await soak.open(STREAMS / 10);
  const [memoryBefore, leftBefore] = [memory(), soak.left];
  const begun = performance.now();
  await soak.open(STREAMS);
  const seconds = (performance.now() - begun) / 1000;
  const growth = memory() - memoryBefore;
  console.log(
    `${soak.closed} streams in ${seconds.toFixed(1)} s; memory ${(memoryBefore / MIB).toFixed(1)} MiB, ` +
      `grown by ${(growth / 1024).toFixed(0)} KiB`,
  );
  expect(soak.closed).toBe(STREAMS / 10 + STREAMS);
  expect(soak.left).toEqual(leftBefore);
  expect(growth).toBeLessThan(GROWTH_LIMIT);
}, 3_600_000);
