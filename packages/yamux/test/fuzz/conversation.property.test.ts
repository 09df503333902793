// Two sessions with any options, over a transport of any capacity, which may be cut anywhere: streams from both sides carry any sizes in
// any pieces to readers of every kind. What arrives is what was sent, or there is an error; and the wire shows nothing that it may not.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { YamuxSession, YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { closed } from '../support/pairs.ts';
import { type Cut, Relay } from '../support/relay.ts';
import { runs } from '../support/runs.ts';
import { WireRecord } from '../support/wire-rules.ts';
import { checkAll, Witness } from '../support/witness.ts';

type Reader = 'data' | 'readable' | 'bytes' | 'iterator' | 'never';

interface Direction {
  readonly size: number;
  /** Bytes of each write. */
  readonly piece: number;
  readonly reader: Reader;
}

interface Talk {
  readonly opener: 0 | 1;
  readonly there: Direction;
  readonly back: Direction;
}

const size = fc.oneof(fc.nat(100), fc.constantFrom(4095, 4096, 65_536, 131_072, 262_144, 262_145, 700_000));
const direction: fc.Arbitrary<Direction> = fc.record({
  size,
  piece: fc.constantFrom(7, 1000, 4096, 65_536, 1_000_000),
  reader: fc.constantFrom<Reader>('data', 'data', 'readable', 'bytes', 'iterator', 'never'),
});

const conversation = fc.record({
  options: fc.record({
    maxFramePayload: fc.constantFrom(1024, 5000, 32_768, 65_524),
    maxUnacknowledged: fc.constantFrom(1, 2, 256),
    windowBudget: fc.constantFrom(0, 300_000, 67_108_864),
  }),
  capacity: fc.constantFrom(1, 100, 16_384, 65_536),
  talks: fc.array(fc.record({ opener: fc.constantFrom<0 | 1>(0, 1), there: direction, back: direction }), {
    minLength: 1,
    maxLength: 5,
  }),
  cut: fc.option(
    fc.record({
      direction: fc.constantFrom<0 | 1>(0, 1),
      at: fc.oneof(fc.nat(300), fc.nat(300_000)),
      how: fc.constantFrom<Cut>('end', 'error', 'destroy'),
    }),
    { freq: 4 },
  ),
});

type Input = typeof conversation extends fc.Arbitrary<infer T> ? T : never;

class Conversation {
  readonly clock = new ManualClock();
  readonly relay: Relay;
  readonly witnesses: Witness[] = [];
  unsettled = 0;

  constructor({ options, capacity, cut }: Input) {
    this.relay = new Relay({ ...options, clock: this.clock }, { capacity });
    for (const session of [this.relay.a, this.relay.b]) session.on('error', () => {});
    if (cut) this.relay.cutAt(cut.direction, cut.at, cut.how);
  }

  /** Streams are told apart by their order: each is opened when the one before was accepted. */
  async hold(talks: readonly Talk[]): Promise<void> {
    const { a, b } = this.relay;
    for (const { opener, there, back } of talks) {
      const [here, far] = opener === 0 ? [a, b] : [b, a];
      const [opened, accepted] = [here.open(), far.accept()];
      this.#track(opened.then((stream) => this.#use(here, stream, there, back.reader)));
      this.#track(accepted.then((stream) => this.#use(far, stream, back, there.reader)));
      await Promise.all([opened, accepted]).catch(() => {});
    }
    this.#track(Promise.all([a.ping(), b.ping()]));
    await settle();
  }

  #track(promise: Promise<unknown>): void {
    this.unsettled += 1;
    const settled = (): void => {
      this.unsettled -= 1;
    };
    promise.then(settled, settled);
  }

  async #use(session: YamuxSession, stream: YamuxStream, { size, piece }: Direction, reader: Reader): Promise<void> {
    const witness = new Witness(session, stream);
    this.witnesses.push(witness);
    this.#track(read(witness, reader));
    while (witness.written < size && stream.writable) {
      if (!stream.write(witness.next(Math.min(piece, size - witness.written)))) await drained(stream);
    }
    stream.end();
  }

  /** Who never reads begins to, and both say goodbye. */
  async finish(): Promise<void> {
    const { a, b } = this.relay;
    for (const { stream } of this.witnesses) stream.resume();
    await settle();
    this.#track(a.close());
    this.#track(b.close());
    await settle();
    this.clock.advance(10_000);
    await settle();
  }

  check(maxFramePayload: number, wasCut: boolean): void {
    const { a, b, passed } = this.relay;
    expect(this.unsettled).toBe(0);
    checkAll(this.witnesses);
    expect([a.state, b.state]).toEqual(['closed', 'closed']);
    expect([a.streamCount, b.streamCount]).toEqual([0, 0]);
    expect(this.clock.pending).toBe(0);
    for (const [index, role] of (['client', 'server'] as const).entries()) {
      const record = new WireRecord(role, Buffer.concat(passed[index] ?? []), maxFramePayload);
      if (!wasCut) expect(record).toMatchObject({ goAways: [0], rest: 0 });
    }
    if (wasCut) return;
    expect(this.witnesses.every(({ hasEnded, error }) => hasEnded && error === undefined)).toBe(true);
  }
}

function drained(stream: YamuxStream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

async function read(witness: Witness, reader: Reader): Promise<void> {
  const { stream } = witness;
  const isClosed = closed(stream);
  const take = (chunk: Buffer): void => witness.took(chunk);
  if (reader === 'data') {
    stream.on('data', take);
  } else if (reader === 'readable' || reader === 'bytes') {
    stream.on('readable', () => {
      const amount = reader === 'bytes' ? 1000 : undefined;
      for (let chunk: Buffer | null = stream.read(amount); chunk !== null; chunk = stream.read(amount)) take(chunk);
    });
  } else if (reader === 'iterator') {
    try {
      // Otherwise Node aborts what is still to be written when the other direction has ended.
      for await (const chunk of stream.iterator({ destroyOnReturn: false })) take(chunk as Buffer);
    } catch (error) {
      expect(error).toBe(stream.errored);
    }
  } else {
    stream.pause().on('data', take).pause();
  }
  await isClosed;
}

test('whatever is said, it arrives whole or there is an error', async () => {
  await fc.assert(
    fc.asyncProperty(conversation, async (input) => {
      const one = new Conversation(input);
      await one.hold(input.talks);
      await one.finish();
      one.check(input.options.maxFramePayload, input.cut !== null);
    }),
    runs(150),
  );
}, 600_000);
