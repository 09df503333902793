// The presence of a node in the directory: a beat every second, and the names of its pool in batches. It owns the timers. The view and the outbox
// interpret the answers.
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

/** ms between beats, and ms for which a beat keeps the node alive. */
const BEAT = 1_000;
export const LEASE = 5_000;
/** The least ms between two beats, whatever the reason. */
const DISCOVER = 100;
/** ms within which a node publishes all its names again after a loss in the directory, spread so that not all nodes do it at once. */
const REFILL_JITTER = 500;
const BATCH = 500;
/** Beats between two renewals of some names, and renewals until all names had their turn. A directory may drop names that are not published again. */
const TELL_AGAIN = 60;
const ROUND = 720;

export class Membership {
  beats = 0;
  failures = 0;
  readonly #settings: MembershipSettings;
  /** A time of the clock, in ms. */
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

  /** The time since which the directory has not answered; undefined while it answers. */
  get downSince(): number | undefined {
    return this.#downSince;
  }

  /** The time of the last answered beat. */
  get answeredAt(): number | undefined {
    return this.#answeredAt;
  }

  /**
   * Resolves when the directory knows the node and its names. Never rejects: if the directory is down, the node tries again every second.
   */
  async start(): Promise<void> {
    await this.#beat();
    if (this.#answeredAt !== undefined) await this.#flush();
  }

  /** Sends a beat at once, because this node's record has changed. */
  async beatNow(): Promise<void> {
    await this.#beating;
    if (!this.#hasStopped) await this.#beat();
  }

  /** Asks for the live nodes now, because a name is at an unknown node. Limited to the rate at which the answer can change. */
  async discover(): Promise<void> {
    const age = this.#settings.clock.now() - (this.#answeredAt ?? -Infinity);
    if (this.#downSince === undefined && !this.#hasStopped && age >= DISCOVER) await this.#beat();
  }

  /** Publishes the changes as soon as possible. */
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

  /** Stops beats and batches, and ends the lease. */
  async stop(): Promise<void> {
    this.#hasStopped = true;
    const { clock, directory, self } = this.#settings;
    clock.clearTimeout(this.#beatTimer);
    clock.clearTimeout(this.#flushTimer);
    await this.#beating;
    // If this fails, the lease expires by itself.
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

  /** Renews a few names every minute, each in its turn. */
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
        // The next answered beat tries again.
        outbox.failed();
        return;
      }
    }
  }
}

/** The error for a directory that does not answer. */
export function unanswered(cause: unknown): FleetError {
  return new FleetError('ERR_YAMUX_FLEET_DIRECTORY', 'The directory does not answer, and the name is not known', {
    cause,
  });
}
