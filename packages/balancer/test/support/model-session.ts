// One session of the naive pool: whether it may be picked, and its health, told as a story.

import type { SessionRef } from '../../src/member/session-ref.ts';
import type { RoutingContext } from '../../src/routing.ts';
import { FakeSession, FakeStream } from '../../src/testing.ts';
import { ModelLatency } from './model-latency.ts';

/** The pool's options, small enough that everything happens. */
export const RULES: { healthFailureThreshold: number; healthProbeInterval: number; probeTimeout: number } = {
  healthFailureThreshold: 2,
  healthProbeInterval: 40,
  probeTimeout: 30,
};

/** The rules of health, told as a story: how many failures in a row, until when it rests, whose answer is waited for. */
export class ModelHealth {
  healthy = true;
  epoch = 0;
  #row = 0;
  #interval = RULES.healthProbeInterval;
  #restUntil = 0;
  #trialUntil: number | undefined;

  /** To be called at every moment. */
  lapse(now: number): void {
    if (this.#trialUntil !== undefined && now >= this.#trialUntil) this.#rest(now, 2 * this.#interval);
  }

  isProbing(now: number): boolean {
    return !this.healthy && (this.#trialUntil !== undefined || now >= this.#restUntil);
  }

  mayBeginTrial(now: number): boolean {
    return !this.healthy && this.#trialUntil === undefined && now >= this.#restUntil;
  }

  beginTrial(now: number): void {
    this.epoch += 1;
    this.#trialUntil = now + RULES.probeTimeout;
  }

  succeeded(epoch: number): void {
    if (epoch !== this.epoch) return;
    this.#row = 0;
    this.healthy = true;
    this.#trialUntil = undefined;
    this.#interval = RULES.healthProbeInterval;
  }

  failed(epoch: number, now: number): void {
    if (epoch !== this.epoch) return;
    this.#row += 1;
    if (!this.healthy) this.#rest(now, 2 * this.#interval);
    else if (this.#row === RULES.healthFailureThreshold) this.#rest(now, this.#interval);
  }

  refused(epoch: number, now: number): void {
    if (epoch === this.epoch && this.#trialUntil !== undefined) this.#rest(now, 2 * this.#interval);
  }

  inconclusive(epoch: number): void {
    if (epoch !== this.epoch || this.#trialUntil === undefined) return;
    this.epoch += 1;
    this.#trialUntil = undefined;
    this.#restUntil = 0;
  }

  #rest(now: number, interval: number): void {
    this.healthy = false;
    this.epoch += 1;
    this.#trialUntil = undefined;
    this.#interval = interval;
    this.#restUntil = now + interval;
  }
}

/** How an open ends: its peer may also have enough of streams. */
export type Answer = 'opened' | 'broken' | 'refused';

/** A peer that refused is left alone for so long. */
const REFUSAL_REST = 1_000;

export interface ModelOpen {
  readonly session: ModelSession;
  epoch: number;
  settle(answer: Answer): void;
}

interface ModelStream {
  readonly open: ModelOpen;
  readonly epoch: number;
  readonly stream: FakeStream;
}

export class ModelSession {
  readonly fake: FakeSession = new FakeSession();
  readonly key: string;
  readonly id: string;
  zone: string;
  cap: number;
  ref!: SessionRef;
  readonly health: ModelHealth = new ModelHealth();
  readonly latency: ModelLatency = new ModelLatency();
  pending: ModelOpen[] = [];
  active: ModelStream[] = [];
  lastPick: number;
  draining = false;
  gone = false;
  attempts = 0;
  failures = 0;
  weight: number;
  /** What smooth weighted round-robin owes it. */
  owed = 0;
  #refusedUntil: number | undefined;

  /** `log` is told of each open that the pool asks for. */
  constructor(number: number, cap: number, log: ModelOpen[]) {
    this.weight = number % 4;
    this.key = `k${number}`;
    this.id = `node-${number % 3}`;
    this.zone = number % 2 === 0 ? 'eu' : 'us';
    this.cap = cap;
    this.lastPick = number - 1_000_000;
    this.fake.open = () => {
      return new Promise((resolve, reject) => {
        const open: ModelOpen = {
          session: this,
          epoch: 0,
          settle: (answer) => {
            if (answer !== 'opened') {
              this.failures += 1;
              reject(Object.assign(new Error('refused'), answer === 'refused' && { refused: true }));
              return;
            }
            const stream = new FakeStream();
            this.active.push({ open, epoch: open.epoch, stream });
            resolve(stream);
          },
        };
        log.push(open);
      });
    };
  }

  get load(): number {
    return this.pending.length + this.active.length;
  }

  refusedAt(now: number): void {
    this.#refusedUntil = now + REFUSAL_REST;
  }

  /** One of its streams has closed. */
  hasRoom(): void {
    this.#refusedUntil = undefined;
  }

  /** To be called at every moment. */
  lapse(now: number): void {
    this.health.lapse(now);
    if (this.#refusedUntil !== undefined && now >= this.#refusedUntil) this.#refusedUntil = undefined;
  }

  get full(): boolean {
    return this.load >= this.cap || this.#refusedUntil !== undefined;
  }

  /** Nothing but its health keeps it from taking a stream. */
  get ready(): boolean {
    return !this.draining && !this.gone && !this.full;
  }

  /** Full is a reason to go elsewhere for once, all else is one to move. */
  get keepsBindings(): boolean {
    return !this.draining && !this.gone && this.health.healthy;
  }

  get eligible(): boolean {
    return this.ready && this.health.healthy;
  }

  get verdict(): string {
    if (this.draining) return 'draining';
    if (!this.health.healthy) return 'unhealthy';
    return this.full ? 'full' : 'eligible';
  }

  /** Its zone as a tag, and one that only some have. */
  get tags(): string[] {
    return this.weight === 1 ? [this.zone, 'light'] : [this.zone];
  }

  matches({ sessionKey, sessionId, requiredMetadata, requiredTags = [] }: RoutingContext): boolean {
    if (sessionKey !== undefined && sessionKey !== this.key) return false;
    if (sessionId !== undefined && sessionId !== this.id) return false;
    if (!requiredTags.every((tag) => this.tags.includes(tag))) return false;
    return requiredMetadata?.zone === undefined || requiredMetadata.zone === this.zone;
  }
}
