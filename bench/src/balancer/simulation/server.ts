// One session and its peer, which works on a number of requests at a time, in order. It acknowledges a stream when its turn comes,
// as a peer with a queue does.
import type { Duplex } from 'node:stream';
import { FakeSession, FakeStream } from '@zishuo/yamux-balancer/testing';
import type { Agenda } from './agenda.ts';
import { WORKERS } from './scenarios.ts';

/** The network's round trip, in milliseconds. */
const ROUND_TRIP = 20;

interface Job {
  readonly stream: FakeStream;
  readonly ms: number;
  readonly roundTrip: number;
}

export class Server extends FakeSession {
  /** The slowdown factor at a time. */
  slowness: (now: number) => number = () => 1;
  isStalled: (now: number) => boolean = () => false;
  /** Whether it fails every open. */
  isDown: (now: number) => boolean = () => false;
  readonly #agenda: Agenda;
  readonly #work: () => number;
  readonly #jobs: Job[] = [];
  #busy = 0;

  /** `work` returns the duration of a request. */
  constructor(agenda: Agenda, work: () => number) {
    super();
    this.#agenda = agenda;
    this.#work = work;
  }

  override open(): Promise<Duplex> {
    const { now } = this.#agenda;
    if (this.isDown(now)) return Promise.reject(new Error('down'));
    const stream = new FakeStream();
    const slowness = this.slowness(now);
    this.#jobs.push({ stream, ms: this.#work() * slowness, roundTrip: ROUND_TRIP * slowness });
    if (this.#busy < WORKERS) this.#next();
    return Promise.resolve(stream);
  }

  #next(): void {
    const job = this.#jobs.shift();
    if (job === undefined) return;
    // Its caller has given up: the work is not needed.
    if (job.stream.destroyed) {
      this.#next();
      return;
    }
    this.#busy += 1;
    this.#when(job.roundTrip, () => job.stream.acknowledge());
    this.#when(job.roundTrip + job.ms, () => job.stream.destroy());
    this.#when(job.ms, () => {
      this.#busy -= 1;
      this.#next();
    });
  }

  /** Runs `happen` after the given milliseconds, or when the server works again. */
  #when(ms: number, happen: () => void): void {
    this.#agenda.in(ms, () => {
      if (this.isStalled(this.#agenda.now)) this.#when(STALL_STEP, happen);
      else happen();
    });
  }
}

/** A stall ends at a multiple of this time. */
const STALL_STEP = 50;
