// A node's life in the directory: a beat every second, and what its pool has, told in batches. It owns the timers; what an answer means is decided by
// the view and by the outbox.
import type { Clock } from '@zishuo/yamux-balancer';
import type { NodeRecord, SessionDirectory } from '../directory/directory.ts';
import { FleetError } from '../errors.ts';
import type { Holdings } from '../names/holdings.ts';
import type { Outbox } from '../names/outbox.ts';
import type { NodeView, ViewChange } from './node-view.ts';

export interface MembershipSettings {
  readonly directory: SessionDirectory;
  readonly clock: Clock;
  readonly random: () => number;
  readonly self: () => NodeRecord;
  readonly view: NodeView;
  readonly holdings: Holdings;
  readonly outbox: Outbox;
  readonly isLinked: (id: string) => boolean;
  readonly changed: (change: ViewChange) => void;
}

/** ms between beats, and how long each of them keeps the node alive. */
const BEAT = 1_000;
export const LEASE = 5_000;
/** ms between two beats at least, whoever asks. */
const DISCOVER = 100;
/** ms within which a node tells all again after the directory has lost it: not all nodes at once. */
const REFILL_JITTER = 500;
const BATCH = 500;
/** Beats between a few names that are told once more, and how often that is done until all have been: a directory may forget names that nobody tells. */
const TELL_AGAIN = 60;
const ROUND = 720;

export class Membership {
  beats = 0;
  failures = 0;
  readonly #settings: MembershipSettings;
  /** By the clock. */
  #answeredAt: number | undefined;
  #downSince: number | undefined;
  #hasStopped = false;
  #beating: Promise<void> | undefined;
  #beatTimer: unknown;
  #flushTimer: unknown;
  #round: Iterator<string> | undefined;

  constructor(settings: MembershipSettings) {
    this.#settings = settings;
  }

  /** Since when the directory has not answered, by the clock; undefined while it answers. */
  get downSince(): number | undefined {
    return this.#downSince;
  }

  /** When it last answered a beat, by the clock. */
  get answeredAt(): number | undefined {
    return this.#answeredAt;
  }

  /**
   * Resolves when the directory knows the node and what it has. It never rejects: a directory that is down is tried again every second.
   */
  async start(): Promise<void> {
    await this.#beat();
    if (this.#answeredAt !== undefined) await this.#flush();
  }

  /** A beat out of turn: the own record has changed. */
  async beatNow(): Promise<void> {
    await this.#beating;
    if (!this.#hasStopped) await this.#beat();
  }

  /** Asks who is alive, now: a name is at a node that is not known. Not more often than it could be news. */
  async discover(): Promise<void> {
    const age = this.#settings.clock.now() - (this.#answeredAt ?? -Infinity);
    if (this.#downSince === undefined && !this.#hasStopped && age >= DISCOVER) await this.#beat();
  }

  /** Tells the directory what has changed, as soon as it may. */
  flush(): void {
    if (this.#hasStopped || this.#flushTimer !== undefined || this.#answeredAt === undefined) return;
    this.#flushLater(0);
  }

  isUp(): void {
    this.#downSince = undefined;
    this.flush();
  }

  isDown(): void {
    this.#downSince ??= this.#settings.clock.now();
  }

  /** No beat and no batch from now on; the lease ends. */
  async stop(): Promise<void> {
    this.#hasStopped = true;
    const { clock, directory, self } = this.#settings;
    clock.clearTimeout(this.#beatTimer);
    clock.clearTimeout(this.#flushTimer);
    await this.#beating;
    // The lease runs out by itself where this fails.
    await directory.leave(self().id).catch(() => {});
  }

  #beat(): Promise<void> {
    const { clock } = this.#settings;
    const started = clock.now();
    clock.clearTimeout(this.#beatTimer);
    this.#beating ??= this.#beatOnce().finally(() => {
      this.#beating = undefined;
      if (this.#hasStopped) return;
      const wait = Math.max(0, started + BEAT - clock.now());
      this.#beatTimer = clock.setTimeout(() => void this.#beat(), wait);
    });
    return this.#beating;
  }

  async #beatOnce(): Promise<void> {
    const { directory, clock, random, self, view, holdings, outbox, isLinked, changed } = this.#settings;
    this.beats += 1;
    try {
      const { suspicions } = view;
      const { nodes, seq } = await directory.beat(self(), LEASE);
      if (this.#hasStopped) return;
      const hasForgotten = this.#answeredAt !== undefined && (seq === undefined || outbox.hasLost(seq));
      this.#answeredAt = clock.now();
      this.#downSince = undefined;
      if (hasForgotten) outbox.markAll(holdings.names());
      else outbox.confirmed(seq ?? 0);
      changed(view.update({ nodes, hasForgotten, suspicions }, clock.now(), isLinked));
      this.#tellSomeAgain();
      if (outbox.size > 0 && this.#flushTimer === undefined)
        this.#flushLater(hasForgotten ? random() * REFILL_JITTER : 0);
    } catch {
      this.failures += 1;
      this.isDown();
    }
  }

  /** A few names every minute, so that each comes in its turn. */
  #tellSomeAgain(): void {
    const { holdings, outbox } = this.#settings;
    if (this.beats % TELL_AGAIN !== 0) return;
    for (let left = Math.ceil(holdings.size / ROUND); left > 0; left -= 1) {
      this.#round ??= holdings.names()[Symbol.iterator]();
      const { done, value } = this.#round.next();
      if (done) this.#round = undefined;
      else outbox.mark(value);
    }
  }

  #flushLater(ms: number): void {
    const { clock } = this.#settings;
    this.#flushTimer = clock.setTimeout(() => {
      this.#flushTimer = undefined;
      void this.#flush();
    }, ms);
  }

  async #flush(): Promise<void> {
    const { directory, holdings, outbox, self } = this.#settings;
    const node = self().id;
    for (let batch = outbox.take(BATCH); batch !== undefined && !this.#hasStopped; batch = outbox.take(BATCH)) {
      const { names, firstSeq } = batch;
      const entries = names.map((name, index) => {
        const { sessions, agents } = holdings.placement(name) ?? { sessions: 0, agents: [] };
        return {
          node,
          name,
          seq: firstSeq + index,
          sessions,
          agents: agents.map(({ id, weight }) => ({ id, weight })),
        };
      });
      try {
        await directory.publish(entries);
        outbox.succeeded();
      } catch {
        // The next beat that is answered tries again.
        outbox.failed();
        return;
      }
    }
  }
}

/** For a directory that gives no answer. */
export function unanswered(cause: unknown): FleetError {
  return new FleetError('ERR_YAMUX_FLEET_DIRECTORY', 'The directory does not answer, and the name is not known', {
    cause,
  });
}
