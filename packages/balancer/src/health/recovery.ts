// The sessions that are out of the candidates until time or a probe brings them back. Looked at only at a pick, and only when the time of
// one of them has come: no timer per session, and a thousand that rest cost a pick nothing.

import { type Constraints, type Matchable, matches } from '../routing.ts';
import type { Condition } from './condition.ts';

/** What is read of a member of the pool, and how its probe begins. */
interface Recovering extends Matchable {
  readonly condition: Pick<Condition, 'quietUntil' | 'wake' | 'proved' | 'nextChange'>;
  readonly turn: number;
  readonly recovers: boolean;
  readonly canPing: boolean;
  mayBeginTrial(now: number): boolean;
  ping(now: number): void;
}

export class Recovery<Member extends Recovering> {
  readonly #members = new Set<Member>();
  /** Until then nobody need be looked at; at times too early, never too late. */
  #quietUntil = Infinity;

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** In or out, by what the member says of itself now. */
  update(member: Member): void {
    if (member.recovers) {
      this.#members.add(member);
      this.#note(member);
    } else {
      this.#members.delete(member);
    }
  }

  #note({ condition }: Member): void {
    this.#quietUntil = Math.min(this.#quietUntil, condition.quietUntil);
  }

  /** Lets time have its effect on each. */
  wake(now: number): void {
    if (now < this.#quietUntil) return;
    this.#quietUntil = Infinity;
    for (const member of this.#members) {
      member.condition.wake(now);
      this.#note(member);
    }
  }

  /** When time alone may bring one of them back, later than `now`; Infinity: never. */
  nextChange(now: number): number {
    let next = Infinity;
    for (const { condition } of this.#members) next = Math.min(next, condition.nextChange(now));
    return next;
  }

  /**
   * The session whose trial this open is, if any. Where another session can serve the open, it is only spent on one that has
   * answered a ping before; the others whose rest is over are pinged now.
   */
  trial(constraints: Constraints, excluded: readonly Member[], now: number, hasOthers: boolean): Member | undefined {
    // Where nobody else can serve, one whose ping is still out may be tried too.
    if (hasOthers && now < this.#quietUntil) return undefined;
    let chosen: Member | undefined;
    for (const member of this.#members) {
      if (!member.mayBeginTrial(now) || !matches(member, constraints) || excluded.includes(member)) continue;
      if (hasOthers && !member.condition.proved && member.canPing) member.ping(now);
      else if (chosen === undefined || member.turn < chosen.turn) chosen = member;
    }
    return chosen;
  }
}
