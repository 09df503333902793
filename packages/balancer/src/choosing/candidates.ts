// Who may be picked now: kept up to date change by change, for the whole pool and for each id, and narrowed by the routing.
// A pick without constraints, or by key or id, looks at nobody but the first; only metadata and a retry cost a scan.

import type { UnavailableCounts } from '../errors.ts';
import { type Constraints, matches } from '../routing.ts';
import { type Before, beforeOf, CandidateList, type Placed } from './candidate-list.ts';
import type { Candidate, CandidateOrder } from './strategy.ts';

/** What is read of a member of the pool. */
interface Selectable extends Candidate, Placed {
  /** It may be picked now. */
  readonly eligible: boolean;
}

/** What a strategy is shown, and what becomes of its answer. */
interface Shortlist<Member> {
  readonly length: number;
  at(index: number): Member | undefined;
  indexOf(candidate: Candidate): number;
}

interface Group<Member extends Selectable> {
  readonly members: Set<Member>;
  readonly eligible: CandidateList<Member>;
}

export class Candidates<Member extends Selectable> {
  readonly #before: Before | undefined;
  readonly #byKey = new Map<string, Member>();
  readonly #byId = new Map<string, Group<Member>>();
  readonly #everyone: CandidateList<Member>;
  readonly #freeOrdinals: number[] = [];
  #ordinals = 0;

  constructor(order: CandidateOrder | undefined) {
    this.#before = beforeOf(order);
    this.#everyone = new CandidateList(0, this.#before);
  }

  /** Members in order of adding. */
  [Symbol.iterator](): Iterator<Member> {
    return this.#byKey.values();
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): Member | undefined {
    return this.#byKey.get(key);
  }

  /** The ordinal of a member that is about to join. */
  takeOrdinal(): number {
    const free = this.#freeOrdinals.pop();
    if (free !== undefined) return free;
    this.#ordinals += 1;
    return this.#ordinals - 1;
  }

  /** Of a member that has left, and that the strategy keeps nothing of any more. */
  freeOrdinal(ordinal: number): void {
    this.#freeOrdinals.push(ordinal);
  }

  add(member: Member): void {
    this.#byKey.set(member.key, member);
    let group = this.#byId.get(member.id);
    if (group === undefined) {
      group = { members: new Set(), eligible: new CandidateList(1, this.#before) };
      this.#byId.set(member.id, group);
    }
    group.members.add(member);
    this.update(member);
  }

  delete(member: Member): void {
    const group = this.#byId.get(member.id);
    if (group === undefined || !group.members.delete(member)) return;
    this.#byKey.delete(member.key);
    this.#everyone.delete(member);
    group.eligible.delete(member);
    if (group.members.size === 0) this.#byId.delete(member.id);
  }

  /** In or out, and in its place, by what the member says of itself now. */
  update(member: Member): void {
    const group = this.#byId.get(member.id)?.eligible;
    if (member.eligible) {
      this.#everyone.put(member);
      group?.put(member);
    } else {
      this.#everyone.delete(member);
      group?.delete(member);
    }
  }

  /** The candidates that satisfy the constraints and are not `excluded`; the first of the strategy's order at index 0. */
  shortlist(constraints: Constraints, excluded: readonly Member[]): Shortlist<Member> {
    const { key, id, metadata } = constraints;
    if (key !== undefined) {
      const member = this.#byKey.get(key);
      const fits = member?.eligible && matches(member, constraints) && !excluded.includes(member);
      return fits ? [member] : [];
    }
    const eligible = id === undefined ? this.#everyone : this.#byId.get(id)?.eligible;
    if (eligible === undefined) return [];
    if (metadata === undefined && excluded.length === 0) return eligible;
    return this.#filter(eligible, constraints, excluded);
  }

  #filter(eligible: CandidateList<Member>, constraints: Constraints, excluded: readonly Member[]): Shortlist<Member> {
    const before = this.#before;
    const fitting: Member[] = [];
    let first = 0;
    let best: Member | undefined;
    for (let index = 0; index < eligible.length; index += 1) {
      const member = eligible.at(index) as Member;
      if (!matches(member, constraints) || (excluded.length > 0 && excluded.includes(member))) continue;
      if (best === undefined || before?.(member, best)) {
        best = member;
        first = fitting.length;
      }
      fitting.push(member);
    }
    if (first > 0) [fitting[0], fitting[first]] = [fitting[first] as Member, fitting[0] as Member];
    return fitting;
  }

  /** Those that are not about to leave. */
  countLasting(): number {
    let count = 0;
    for (const { unavailable } of this.#byKey.values()) {
      if (unavailable !== 'closed' && unavailable !== 'draining') count += 1;
    }
    return count;
  }

  /** Why those that satisfy the constraints cannot be picked; undefined if none satisfies them. */
  unavailable(constraints: Constraints): UnavailableCounts | undefined {
    const counts = { closed: 0, draining: 0, unhealthy: 0, full: 0 };
    let matching = 0;
    for (const member of this.#byKey.values()) {
      if (!matches(member, constraints)) continue;
      matching += 1;
      if (member.unavailable !== undefined) counts[member.unavailable] += 1;
    }
    return matching === 0 ? undefined : counts;
  }
}
