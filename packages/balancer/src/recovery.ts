// The sessions that are out of the candidates until time or a probe brings them back. Looked at only at a pick, and only while there
// are any: no timer per session.
import type { Member } from './member.ts';
import { type Constraints, matches } from './routing.ts';

export class Recovery {
  readonly #members = new Set<Member>();

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** In or out, by what the member says of itself now. */
  update(member: Member): void {
    if (member.recovers) this.#members.add(member);
    else this.#members.delete(member);
  }

  /** Lets time have its effect on each. */
  wake(now: number): void {
    for (const member of this.#members) member.condition.wake(now);
  }

  /**
   * The session whose trial this open is, if any. Where another session can serve the open, it is only spent on one that has
   * answered a ping before; the others whose rest is over are pinged now.
   */
  trial(constraints: Constraints, tried: readonly Member[], now: number, hasOthers: boolean): Member | undefined {
    let chosen: Member | undefined;
    for (const member of this.#members) {
      if (!member.mayBeTried(now) || !matches(member, constraints) || tried.includes(member)) continue;
      if (hasOthers && !member.condition.proved && member.canPing) member.ping(now);
      else if (chosen === undefined || member.turn < chosen.turn) chosen = member;
    }
    return chosen;
  }
}
