// Two sessions, any order of what applications do and of what the transport delivers, against a model that fits on a page: what arrives
// is a prefix of what was sent, in order; it is whole if it ended cleanly; every stream and every promise comes to an end.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { YamuxSession, YamuxStream } from '../../src/index.ts';
import { client, server } from '../../src/index.ts';
import { duplexPair, settle } from '../support/duplex-pair.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { runs } from '../support/runs.ts';

type Side = 0 | 1;

/** One end of one stream, and what the model knows of it. */
class End {
  readonly stream: YamuxStream;
  written = 0;
  received = 0;
  wrongBytes = 0;
  hasEnded = false;
  isClosed = false;
  /** Our application did something else than write and end. */
  wasCut = false;
  writesPending = 0;
  endCalled = false;

  constructor(stream: YamuxStream) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => {
      for (const byte of chunk) {
        if (byte !== pattern(stream.id, this.received)) this.wrongBytes += 1;
        this.received += 1;
      }
    });
    stream.on('end', () => {
      this.hasEnded = true;
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      this.isClosed = true;
    });
  }

  write(size: number): void {
    if (!this.stream.writable) return;
    const bytes = Buffer.alloc(size);
    for (let index = 0; index < size; index += 1) bytes[index] = pattern(this.stream.id, this.written + index);
    this.written += size;
    this.writesPending += 1;
    this.stream.write(bytes, () => {
      this.writesPending -= 1;
    });
  }

  end(): void {
    if (!this.stream.writable) return;
    this.endCalled = true;
    this.stream.end();
  }
}

const pattern = (id: number, offset: number): number => (id * 31 + offset * 7) & 0xff;

type Operation =
  | { readonly kind: 'open' | 'ping' | 'goAway' | 'close' | 'cut'; readonly side: Side }
  | { readonly kind: 'write'; readonly which: number; readonly size: number }
  | {
      readonly kind: 'end' | 'destroy' | 'fail' | 'reset' | 'pause' | 'resume' | 'endAndDestroy';
      readonly which: number;
    };

const side = fc.constantFrom<Side>(0, 1);
const which = fc.nat(5);
const size = fc.oneof(fc.nat(20), fc.constantFrom(1, 4095, 4096, 32_768, 65_536, 262_144, 300_000));

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('open' as const), side }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), which, size }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const), which }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom(...(['pause', 'pause', 'resume'] as const)), which }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom(...(['destroy', 'fail', 'reset', 'endAndDestroy'] as const)), which }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom(...(['ping', 'ping', 'goAway', 'close', 'cut'] as const)), side }),
  },
);

class World {
  readonly clock = new ManualClock();
  readonly ends: End[] = [];
  readonly sessions: [YamuxSession, YamuxSession];
  readonly promises: Array<Promise<unknown>> = [];
  readonly closed: [number, number] = [0, 0];
  wasDisturbed = false;
  readonly #transports: ReturnType<typeof duplexPair>;

  constructor(scheduler: fc.Scheduler) {
    this.#transports = duplexPair({
      capacity: 16_384,
      schedule: (deliver, label) => {
        void scheduler.schedule(Promise.resolve(), label).then(deliver);
      },
    });
    const [left, right] = this.#transports;
    const options = { keepAliveInterval: 0, clock: this.clock, maxUnacknowledged: 3, acceptBacklog: 4 };
    this.sessions = [client(left, options), server(right, options)];
    for (const side of [0, 1] as const) {
      this.sessions[side].on('stream', (stream) => this.ends.push(new End(stream)));
      this.sessions[side].on('error', () => {});
      this.sessions[side].on('close', () => {
        this.closed[side] += 1;
      });
    }
  }

  do(operation: Operation): void {
    switch (operation.kind) {
      case 'open':
        this.#promise(this.sessions[operation.side].open().then((stream) => this.ends.push(new End(stream))));
        break;
      case 'ping':
        this.#promise(this.sessions[operation.side].ping());
        break;
      case 'goAway':
        this.#promise(this.sessions[operation.side].goAway());
        break;
      case 'close':
        this.#promise(this.sessions[operation.side].close());
        break;
      case 'cut':
        this.wasDisturbed = true;
        this.#transports[operation.side].destroy();
        break;
      default:
        this.#toStream(operation);
    }
  }

  #toStream(operation: Exclude<Operation, { side: Side }>): void {
    const end = this.ends[operation.which % Math.max(1, this.ends.length)];
    if (!end) return;
    if (operation.kind === 'write') end.write(operation.size);
    else if (operation.kind === 'end') end.end();
    else if (operation.kind === 'pause') end.stream.pause();
    else if (operation.kind === 'resume') end.stream.resume();
    else {
      end.wasCut = true;
      if (operation.kind === 'endAndDestroy') end.end();
      if (operation.kind === 'reset') end.stream.reset(3);
      else end.stream.destroy(operation.kind === 'fail' ? new Error('failed by the model') : undefined);
    }
  }

  #promise(promise: Promise<unknown>): void {
    this.promises.push(promise.catch(() => {}));
  }

  resumeAll(): void {
    for (const { stream } of this.ends) stream.resume();
  }

  /** Both applications finish what they have begun, and say goodbye. */
  finish(): void {
    for (const end of this.ends) {
      end.stream.resume();
      end.end();
    }
    for (const side of [0, 1] as const) this.do({ kind: 'close', side });
  }

  #other(end: End): End | undefined {
    return this.ends.find((candidate) => candidate !== end && candidate.stream.id === end.stream.id);
  }

  /** Both applications did nothing but write, read and end. */
  #isUntouched(end: End): boolean {
    const other = this.#other(end);
    return !this.wasDisturbed && !end.wasCut && other !== undefined && !other.wasCut;
  }

  check(): void {
    for (const end of this.ends) {
      const other = this.#other(end);
      expect(end.wrongBytes).toBe(0);
      expect(end.received).toBeLessThanOrEqual(other?.written ?? 0);
      if (end.hasEnded) expect(end.received).toBe(other?.written);
      if (end.hasEnded) expect(other?.endCalled).toBe(true);
    }
  }

  /** Everybody reads and everything was delivered: then nothing is on its way any more. */
  checkDelivered(): void {
    for (const end of this.ends) {
      if (this.#isUntouched(end)) expect(end.received).toBe(this.#other(end)?.written);
    }
  }

  checkEnd(): void {
    for (const end of this.ends) {
      expect(end.isClosed).toBe(true);
      expect(end.writesPending).toBe(0);
      if (this.#isUntouched(end)) expect(end.hasEnded).toBe(true);
    }
    expect(this.closed).toEqual([1, 1]);
    expect(this.sessions.map((session) => session.streamCount)).toEqual([0, 0]);
    expect(this.clock.pending).toBe(0);
  }
}

async function deliverAll(scheduler: fc.Scheduler): Promise<void> {
  do {
    await settle();
    while (scheduler.count() > 0) {
      await scheduler.waitOne();
      await settle();
    }
  } while (scheduler.count() > 0);
}

async function run(scheduler: fc.Scheduler, operations: ReadonlyArray<readonly [Operation, number]>): Promise<void> {
  const world = new World(scheduler);
  for (const [operation, deliveries] of operations) {
    world.do(operation);
    await settle();
    for (let delivered = 0; delivered < deliveries && scheduler.count() > 0; delivered += 1) {
      await scheduler.waitOne();
      await settle();
    }
    world.check();
  }
  world.resumeAll();
  await deliverAll(scheduler);
  world.checkDelivered();
  world.finish();
  await deliverAll(scheduler);
  // A transport that the other side does not close is given five seconds, a pong ten.
  world.clock.advance(10_000);
  await deliverAll(scheduler);
  await Promise.all(world.promises);
  world.check();
  world.checkEnd();
}

test('whatever two applications do, and whenever the transport delivers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.tuple(operation, fc.nat(4)), { minLength: 5, maxLength: 50, size: 'max' }),
      run,
    ),
    runs(1000),
  );
}, 600_000);
