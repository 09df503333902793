// The sessions that may be picked now: kept up to date by each change, for the whole pool, for each id and for each tag, and narrowed by the routing.
// A pick without constraints, or by key, id or one tag, looks at the first alone; only metadata, further tags and a retry cost a scan.
import type { UnavailableCounts } from '../errors.ts';
import { type Constraints, matches } from '../routing.ts';
import { type Before, beforeOf, CandidateList, type Placed } from './candidate-list.ts';
import type { Candidate, CandidateOrder } from './strategy.ts';

/** What is read of a member of the pool. */
interface Selectable extends Candidate, Placed {
  /** It may be picked now. */
  readonly eligible: boolean;
  /** Nothing but its health, if anything, keeps it from taking a stream. */
  readonly ready: boolean;
  readonly healthy: boolean;
}

/** What a strategy is shown, and what becomes of its answer. */
interface Shortlist<Member> {
  readonly length: number;
  at(index: number): Member | undefined;
  indexOf(candidate: Candidate): number;
}

/** The sessions of the pool, of one id, or with one tag. */
interface Group<Member extends Selectable> {
  readonly members: Set<Member>;
  readonly eligible: CandidateList<Member>;
  /** Kept only for a pool that has a panic threshold. */
  unhealthy: number;
}

interface Standing<Member extends Selectable> {
  readonly groups: Group<Member>[];
  /** As it was counted in them. */
  healthy: boolean;
}

export class Candidates<Member extends Selectable> {
  readonly #before: Before | undefined;
  /** Share of healthy sessions below which health is ignored. */
  readonly #panicShare: number;
  readonly #byKey = new Map<string, Member>();
  readonly #byId = new Map<string, Group<Member>>();
  readonly #byTag = new Map<string, Group<Member>>();
  readonly #everyone: Group<Member>;
  readonly #standings = new Map<Member, Standing<Member>>();
  readonly #freeOrdinals: number[] = [];
  #ordinals = 0;

  /** In percent; 0: health is never ignored. */
  constructor(order: CandidateOrder | undefined, panicThreshold = 0) {
    this.#before = beforeOf(order);
    this.#panicShare = panicThreshold / 100;
    this.#everyone = this.#newGroup();
  }

  #newGroup(): Group<Member> {
    return { members: new Set(), eligible: new CandidateList(this.#before), unhealthy: 0 };
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
    this.#standings.set(member, { groups: [], healthy: true });
    this.#join(member, this.#everyone);
    this.#join(member, this.#groupOf(this.#byId, member.id));
    for (const tag of member.tags) this.#join(member, this.#groupOf(this.#byTag, tag));
    this.update(member);
  }

  delete(member: Member): void {
    if (this.#byKey.get(member.key) !== member) return;
    this.#byKey.delete(member.key);
    this.#leave(member);
    this.#standings.delete(member);
    this.#everyone.members.delete(member);
    this.#dropEmpty(this.#byId, member.id);
    for (const tag of member.tags) this.#dropEmpty(this.#byTag, tag);
  }

  /** Its tags are not `before` any more. */
  retag(member: Member, before: ReadonlySet<string>): void {
    if (this.#byKey.get(member.key) !== member) return;
    this.#leave(member);
    for (const tag of before) this.#dropEmpty(this.#byTag, tag);
    this.add(member);
  }

  #groupOf(groups: Map<string, Group<Member>>, name: string): Group<Member> {
    let group = groups.get(name);
    if (group === undefined) {
      group = this.#newGroup();
      groups.set(name, group);
    }
    return group;
  }

  #join(member: Member, group: Group<Member>): void {
    group.members.add(member);
    member.places.push(group.eligible.placeFor(member));
    this.#standings.get(member)?.groups.push(group);
  }

  /** Out of all groups, which still may be empty afterwards. */
  #leave(member: Member): void {
    const standing = this.#standings.get(member) as Standing<Member>;
    for (const place of member.places) place.list.delete(place);
    member.places.length = 0;
    for (const group of standing.groups) {
      // A member keeps its place in the order of adding.
      if (group !== this.#everyone) group.members.delete(member);
      if (!standing.healthy) group.unhealthy -= 1;
    }
  }

  #dropEmpty(groups: Map<string, Group<Member>>, name: string): void {
    if (groups.get(name)?.members.size === 0) groups.delete(name);
  }

  /** In or out, and in its place, by what the member says of itself now. */
  update(member: Member): void {
    const { places, eligible } = member;
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index] as Member['places'][number];
      if (eligible) place.list.put(place);
      else place.list.delete(place);
    }
    if (this.#panicShare > 0) this.#countHealth(member);
  }

  #countHealth(member: Member): void {
    const standing = this.#standings.get(member);
    const { healthy } = member;
    if (standing === undefined || standing.healthy === healthy) return;
    standing.healthy = healthy;
    for (const group of standing.groups) group.unhealthy += healthy ? -1 : 1;
  }

  /** The candidates that satisfy the constraints and are not `excluded`; the first of the strategy's order at index 0. */
  shortlist(constraints: Constraints, excluded: readonly Member[]): Shortlist<Member> {
    const { key } = constraints;
    const isPanic = this.isPanic(constraints);
    if (key !== undefined) {
      const member = this.#byKey.get(key);
      const isAble = isPanic ? member?.ready : member?.eligible;
      const fits = isAble && matches(member as Member, constraints) && !excluded.includes(member as Member);
      return fits ? [member as Member] : [];
    }
    const group = this.#narrowest(constraints);
    if (group === undefined) return [];
    if (isPanic)
      return this.#first(
        [...group.members].filter(({ ready }) => ready),
        constraints,
        excluded,
      );
    if (excluded.length === 0 && isOneGroup(constraints)) return group.eligible;
    return this.#first(group.eligible, constraints, excluded);
  }

  /** The smallest group in which all are that satisfy the constraints, unless they name a key; undefined if none does. */
  #narrowest({ id, tags }: Constraints): Group<Member> | undefined {
    let narrowest: Group<Member> | undefined = id === undefined ? this.#everyone : this.#byId.get(id);
    if (tags === undefined) return narrowest;
    for (let index = 0; index < tags.length && narrowest !== undefined; index += 1) {
      const group = this.#byTag.get(tags[index] as string);
      if (group === undefined || group.members.size < narrowest.members.size) narrowest = group;
      else if (index === 0 && id === undefined) narrowest = group;
    }
    return narrowest;
  }

  /** Those of the list that fit, the first of the order in front. */
  #first(
    list: { readonly length: number; at(index: number): Member | undefined },
    constraints: Constraints,
    excluded: readonly Member[],
  ): Shortlist<Member> {
    const before = this.#before;
    const fitting: Member[] = [];
    let first = 0;
    let best: Member | undefined;
    for (let index = 0; index < list.length; index += 1) {
      const member = list.at(index) as Member;
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

  /** So few of those that satisfy the constraints are healthy that health is ignored. */
  isPanic(constraints: Constraints): boolean {
    if (this.#panicShare === 0 || this.#everyone.unhealthy === 0) return false;
    const group = this.#narrowest(constraints);
    if (group === undefined || group.unhealthy === 0) return false;
    if (isOneGroup(constraints)) {
      return group.members.size - group.unhealthy < this.#panicShare * group.members.size;
    }
    let matching = 0;
    let healthy = 0;
    for (const member of group.members) {
      if (!matches(member, constraints)) continue;
      matching += 1;
      if (member.healthy) healthy += 1;
    }
    return healthy < this.#panicShare * matching;
  }

  /** Those that satisfy the constraints, whether or not they may be picked. */
  matching(constraints: Constraints): Member[] {
    const { key } = constraints;
    const named = key === undefined ? undefined : this.#byKey.get(key);
    if (key !== undefined) return named !== undefined && matches(named, constraints) ? [named] : [];
    return [...(this.#narrowest(constraints)?.members ?? [])].filter((member) => matches(member, constraints));
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
    const matching = this.matching(constraints);
    const counts = { closed: 0, draining: 0, unhealthy: 0, full: 0 };
    for (const { unavailable } of matching) if (unavailable !== undefined) counts[unavailable] += 1;
    return matching.length === 0 ? undefined : counts;
  }
}

/** Whether one group is exactly those that satisfy the constraints. */
function isOneGroup({ key, id, tags, metadata }: Constraints): boolean {
  if (key !== undefined || metadata !== undefined) return false;
  return tags === undefined || (tags.length === 1 && id === undefined);
}
