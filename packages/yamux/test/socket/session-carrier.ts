// What is tried: a pair of streams of two sessions, over a link in memory, on the manual clock. A second pair beside it is the neighbour.

import type { Duplex } from 'node:stream';
import {
  client,
  type SessionOptions,
  server,
  WindowBudget,
  type YamuxSession,
  type YamuxStream,
} from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { Carrier } from './carrier.ts';
import { Link, type LinkEnd } from './link.ts';
import type { EndName, Program } from './program.ts';
import { quiet, turn } from './pulse.ts';

const MINUTE = 60_000;
/** ms: less than any timeout, so that an answer comes in time. */
const STEP = 2000;

export class SessionCarrier implements Carrier {
  readonly ends: Readonly<Record<EndName, YamuxStream>>;
  readonly #clock: ManualClock;
  readonly #link: Link;
  readonly #sessions: Readonly<Record<EndName, YamuxSession>>;
  readonly #budget: WindowBudget;
  readonly #neighbour: YamuxStream;
  #heard = '';
  #someoneDied = false;
  readonly #closing = new Map<EndName, 'waits' | 'done'>();

  static async connect({ allowHalfOpen, path }: Program): Promise<SessionCarrier> {
    const clock = new ManualClock();
    const link = new Link(clock, path);
    const budget = new WindowBudget(64 * 2 ** 20);
    // Without pings where nothing is slow: every step of the clock costs time.
    const options: SessionOptions = {
      clock,
      ...(path.rate === 0 && path.latency === 0 ? { keepAliveInterval: 0 } : {}),
    };
    if (path.preamble > 0) {
      link.a.write(Buffer.alloc(path.preamble, 'p'));
      const rest = pastPreamble(link.b, path.preamble);
      const a = client(link.a, { ...options, halfCloseTimeout: 0 });
      a.on('error', () => {});
      const carrying = settled(clock, link);
      await rest;
      await carrying;
      return SessionCarrier.#over(
        clock,
        link,
        budget,
        a,
        server(link.b, { ...options, windowBudget: budget }),
        allowHalfOpen,
      );
    }
    // Only b resets a stream that it has ended and on which nothing moves: `think` must cost nobody who still has something to say.
    const a = client(link.a, { ...options, halfCloseTimeout: 0 });
    const b = server(link.b, { ...options, windowBudget: budget });
    return SessionCarrier.#over(clock, link, budget, a, b, allowHalfOpen);
  }

  static async #over(
    clock: ManualClock,
    link: Link,
    budget: WindowBudget,
    a: YamuxSession,
    b: YamuxSession,
    allowHalfOpen: Program['allowHalfOpen'],
  ): Promise<SessionCarrier> {
    for (const session of [a, b]) session.on('error', () => {});
    const opened = Promise.all([a.open(), b.accept(), a.open(), b.accept()]);
    await settled(clock, link);
    const [inA, inB, besideA, besideB] = await within(opened, 'the streams were not opened');
    inA.allowHalfOpen = allowHalfOpen.a;
    inB.allowHalfOpen = allowHalfOpen.b;
    besideB.on('error', () => {}).pipe(besideB);
    return new SessionCarrier({
      clock,
      link,
      budget,
      sessions: { a, b },
      ends: { a: inA, b: inB },
      neighbour: besideA,
    });
  }

  private constructor(parts: {
    clock: ManualClock;
    link: Link;
    budget: WindowBudget;
    sessions: Record<EndName, YamuxSession>;
    ends: Record<EndName, YamuxStream>;
    neighbour: YamuxStream;
  }) {
    this.#clock = parts.clock;
    this.#link = parts.link;
    this.#budget = parts.budget;
    this.#sessions = parts.sessions;
    this.ends = parts.ends;
    this.#neighbour = parts.neighbour;
    this.#neighbour
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        this.#heard += chunk.toString();
      });
  }

  settle(): Promise<void> {
    return settled(this.#clock, this.#link);
  }

  reset(end: EndName): void {
    this.ends[end].reset();
  }

  die(end: EndName): void {
    this.#someoneDied = true;
    this.#link[end].destroy();
  }

  leave(end: EndName): void {
    if (this.#closing.has(end)) return;
    this.#closing.set(end, 'waits');
    // close() waits for every stream.
    this.#neighbour.end();
    const done = (): void => {
      this.#closing.set(end, 'done');
    };
    this.#sessions[end].close().then(done, done);
  }

  async think(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP) {
      await this.#pass(STEP);
      await this.settle();
    }
  }

  async idle(end: EndName, ms: number): Promise<void> {
    if (this.ends[end].destroyed) return;
    const stream = this.ends[end];
    const over = (): void => {
      stream.setTimeout(0);
    };
    stream.setTimeout(ms).prependOnceListener('timeout', () => queueMicrotask(over));
    await this.#pass(ms);
    await turn();
  }

  /** What a timer's listener throws must not end the clock: each goes on its own. */
  async #pass(ms: number): Promise<void> {
    const end = this.#clock.now() + ms;
    while (this.#clock.now() < end) await inATurn(() => this.#clock.advance(end - this.#clock.now()));
  }

  async neighbour(): Promise<string> {
    if (this.#someoneDied || this.#closing.size > 0) return 'well';
    this.#neighbour.write('still here?');
    await this.settle();
    const { a, b } = this.#sessions;
    return this.#heard === 'still here?' ? 'well' : `heard "${this.#heard}", sessions ${a.state} and ${b.state}`;
  }

  async close(): Promise<string[]> {
    const left: string[] = [];
    const { a, b } = this.#sessions;
    this.#neighbour.end();
    await this.settle();
    for (const [end, state] of this.#closing) if (state === 'waits') left.push(`close() of ${end} is not settled`);
    for (const [name, session] of Object.entries(this.#sessions)) {
      const { streams } = session.stats();
      if (streams > 0) left.push(`${streams} streams in session ${name}`);
    }
    a.destroy();
    b.destroy();
    await this.settle();
    if (this.#budget.used !== 0) left.push(`${this.#budget.used} bytes of the window budget`);
    if (this.#clock.pending > 0) left.push(`${this.#clock.pending} timers`);
    return left;
  }
}

function inATurn(what: () => void): Promise<void> {
  return new Promise((resolve) =>
    setImmediate(() => {
      setImmediate(resolve);
      what();
    }),
  );
}

async function settled(clock: ManualClock, link: Link): Promise<void> {
  const limit = clock.now() + 30 * MINUTE;
  await quiet();
  for (let ms = link.nextIn; ms !== undefined && clock.now() < limit; ms = link.nextIn) {
    const step = ms;
    await inATurn(() => clock.advance(step));
    await quiet(link.nextIn === undefined ? 8 : 3);
  }
}

/** Reads the application's own bytes, and gives back what is behind them. */
async function pastPreamble(transport: LinkEnd, size: number): Promise<void> {
  let left = size;
  for await (const chunk of (transport as Duplex).iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    left -= chunk.length;
    if (left > 0) continue;
    if (left < 0) transport.unshift(chunk.subarray(chunk.length + left));
    return;
  }
}

/** For a promise that must be settled by now. */
async function within<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  return Promise.race([promise, turn().then(() => Promise.reject(new Error(otherwise)))]);
}
