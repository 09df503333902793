// One exchange between two sessions, cut at every byte of either direction: by an early end, by an error, by the application that destroys
// its transport. Every promise settles, every stream ends whole or with an error, and nothing is left.

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { YamuxSession, YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Cut, Relay } from '../support/relay.ts';
import { WireRecord } from '../support/wire-rules.ts';
import { checkAll, Witness } from '../support/witness.ts';

class Exchange {
  readonly clock = new ManualClock();
  readonly relay: Relay = new Relay({ clock: this.clock });
  readonly #witnesses: Witness[] = [];
  readonly #ended: string[] = [];
  #promises = 0;
  #settled = 0;

  constructor() {
    const { a, b } = this.relay;
    for (const [name, session] of Object.entries({ a, b })) {
      session.on('error', () => this.#ended.push(`${name} error`));
      session.on('close', () => this.#ended.push(`${name} close`));
    }
  }

  async run(): Promise<void> {
    const { a, b } = this.relay;
    this.#serve(b);
    this.#promise(this.#ask(a, 30));
    this.#promise(this.#ask(a, 1));
    this.#promise(this.#serveOne(a));
    this.#promise(this.#ask(b, 20));
    this.#promise(a.ping());
    this.#promise(b.ping());
    await settle();
    this.#promise(a.goAway());
    this.#promise(b.close());
    this.#promise(a.close());
    await settle();
    // A pong has ten seconds, a transport that was ended five.
    this.clock.advance(10_000);
    await settle();
    this.clock.advance(5000);
    await settle();
  }

  /** Streams of one byte are reset, others answered with as much and ended. */
  #serve(session: YamuxSession): void {
    session.on('stream', (stream) => this.#answer(session, stream));
  }

  async #serveOne(session: YamuxSession): Promise<void> {
    this.#answer(session, await session.accept());
  }

  #answer(session: YamuxSession, stream: YamuxStream): void {
    const witness = this.#witness(session, stream);
    stream.on('data', () => {
      if (witness.read === 1) witness.reset(9);
    });
    stream.on('end', () => stream.end(witness.next(witness.read)));
  }

  async #ask(session: YamuxSession, size: number): Promise<void> {
    const stream = await session.open();
    const witness = this.#witness(session, stream);
    stream.write(witness.next(size - 1));
    this.#promise(new Promise((resolve) => stream.write(witness.next(1), resolve)));
    if (size > 1) stream.end();
    this.#promise(once(stream, 'close'));
  }

  #witness(session: YamuxSession, stream: YamuxStream): Witness {
    const witness = new Witness(session, stream);
    stream.on('data', (chunk: Buffer) => witness.took(chunk));
    this.#witnesses.push(witness);
    return witness;
  }

  #promise(promise: Promise<unknown>): void {
    this.#promises += 1;
    const settled = (): void => {
      this.#settled += 1;
    };
    promise.then(settled, settled);
  }

  check(): void {
    const { a, b, passed } = this.relay;
    expect(this.#settled).toBe(this.#promises);
    checkAll(this.#witnesses);
    for (const { session, error } of this.#witnesses) {
      // Nobody destroys a session here: of what its streams died, it died.
      if ((error as { scope?: string } | undefined)?.scope === 'session') expect(session.errored).toBe(error);
    }
    for (const [name, session] of Object.entries({ a, b })) {
      expect(session.state).toBe('closed');
      expect(session.streamCount).toBe(0);
      const events = this.#ended.filter((line) => line.startsWith(name));
      expect(events).toEqual(session.errored ? [`${name} error`, `${name} close`] : [`${name} close`]);
    }
    expect(this.clock.pending).toBe(0);
    const records = [
      new WireRecord('client', Buffer.concat(passed[0])),
      new WireRecord('server', Buffer.concat(passed[1])),
    ];
    expect(records.map(({ goAways }) => goAways.filter((code) => code !== 0))).toEqual([[], []]);
  }

  get bytes(): readonly [number, number] {
    const [there, back] = this.relay.passed.map((chunks) => Buffer.concat(chunks).length);
    return [there ?? 0, back ?? 0];
  }

  get isClean(): boolean {
    return this.#witnesses.length === 6 && this.relay.a.errored === null && this.relay.b.errored === null;
  }
}

async function uncut(): Promise<Exchange> {
  const exchange = new Exchange();
  await exchange.run();
  return exchange;
}

test('uncut, the exchange ends cleanly on both sides', async () => {
  const exchange = await uncut();
  exchange.check();
  expect(exchange.isClean).toBe(true);
  expect(Math.min(...exchange.bytes)).toBeGreaterThan(150);
});

describe.each<[name: string, direction: 0 | 1]>([
  ['from client to server', 0],
  ['from server to client', 1],
])('cut %s at every byte', (_name, direction) => {
  test.each<Cut>(['end', 'error', 'destroy'])('by %s', async (cut) => {
    const total = (await uncut()).bytes[direction];
    for (let at = 0; at < total; at += 1) {
      const exchange = new Exchange();
      exchange.relay.cutAt(direction, at, cut);
      await exchange.run();
      try {
        exchange.check();
      } catch (error) {
        throw new Error(`cut by ${cut} after ${at} of ${total} bytes`, { cause: error });
      }
    }
  });
});
