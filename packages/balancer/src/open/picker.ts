// Picks the session for one open: asks recovery first, then the strategy, until a session takes a stream now. Takes no slot: that is
// the attempt's, which must be the very next statement, since any code that runs between may change who takes a stream.
import type { Candidates } from '../choosing/candidates.ts';
import type { Chooser } from '../choosing/chooser.ts';
import type { Clock } from '../clock.ts';
import { InvalidStrategyError } from '../errors.ts';
import type { Recovery } from '../health/recovery.ts';
import type { Member } from '../member/member.ts';
import type { Constraints, RoutingContext } from '../routing.ts';

export class Picker {
  readonly #candidates: Candidates<Member>;
  readonly #recovery: Recovery<Member>;
  readonly #chooser: Chooser;
  readonly #clock: Clock;

  constructor(candidates: Candidates<Member>, recovery: Recovery<Member>, chooser: Chooser, clock: Clock) {
    this.#candidates = candidates;
    this.#recovery = recovery;
    this.#chooser = chooser;
    this.#clock = clock;
  }

  /** Lets time have its effect on who takes a stream. */
  wake(): void {
    if (!this.#recovery.isEmpty) this.#recovery.wake(this.#clock.now());
  }

  /**
   * Undefined if nobody takes a stream. `excluded` are those that this open has failed on.
   * @throws InvalidStrategyError (`ERR_YAMUX_POOL_INVALID_STRATEGY`)
   */
  pick(routing: RoutingContext, constraints: Constraints, excluded: readonly Member[]): Member | undefined {
    // Each round without a pick takes a candidate away, unless the strategy gives others back.
    for (let rounds = this.#candidates.size; rounds >= 0; rounds -= 1) {
      this.wake();
      const shortlist = this.#candidates.shortlist(constraints, excluded);
      const trial = this.#recovery.isEmpty
        ? undefined
        : this.#trial(routing, constraints, excluded, shortlist.length > 0);
      if (trial !== undefined) return trial;
      if (shortlist.length === 0) return undefined;
      const index = this.#chooser.pick(shortlist, routing);
      const member = index === undefined ? undefined : shortlist.at(index);
      if (member?.eligible || (member?.ready && this.#candidates.isPanic(constraints))) return member;
      // The session has ended and not said so yet, or the strategy called back into the pool: look again without it.
      if (member !== undefined) this.#candidates.update(member);
    }
    throw new InvalidStrategyError(`Strategy '${this.#chooser.name}' made each of its choices unavailable`);
  }

  /** The unhealthy session for which this open is the trial, if it is one. */
  #trial(
    routing: RoutingContext,
    constraints: Constraints,
    excluded: readonly Member[],
    hasOthers: boolean,
  ): Member | undefined {
    const now = this.#clock.now();
    const member = this.#recovery.trial(constraints, excluded, now, hasOthers);
    // An open that belongs to a session of its own, or that has failed once, is not spent on another's trial without need.
    if (member === undefined || (hasOthers && (excluded.length > 0 || this.#isBound(routing, constraints))))
      return undefined;
    if (!member.mayBeginTrial(now)) return undefined; // the strategy may have called back
    member.condition.beginTrial(now);
    return member;
  }

  /** The open belongs to a session that can serve it. */
  #isBound(routing: RoutingContext, constraints: Constraints): boolean {
    const bound = this.#chooser.boundTo(routing, () => this.#candidates.matching(constraints));
    return bound !== undefined && bound.unavailable === undefined;
  }
}
