// Sessions that do far worse than the others: whose opens fail more often, or are answered more slowly, than those of all others together. They are
// compared once an interval, when something is heard; no timer. Relative, so that what is slow everywhere ejects nobody.

/** Of the option `outliers`. Times are in milliseconds. */
export interface OutlierOptions {
  /**
   * How long opens are counted before sessions are compared.
   * @defaultValue 10000
   */
  readonly interval?: number | undefined;
  /**
   * Opens within an interval without which a session is not compared.
   * @defaultValue 50
   */
  readonly minimumOpens?: number | undefined;
  /**
   * How many times the others' typical time to an answer a session may take; the typical one is the geometric mean, and 10 ms more are
   * always allowed.
   * @defaultValue 3
   */
  readonly latencyFactor?: number | undefined;
  /**
   * How long a session is ejected the first time; twice as long the second, up to five minutes. Then it is probed as any unhealthy one.
   * @defaultValue 30000
   */
  readonly ejectionTime?: number | undefined;
}

export interface OutlierRules {
  readonly interval: number;
  readonly minimumOpens: number;
  readonly latencyFactor: number;
  readonly ejectionTime: number;
  /** Of all sessions, so many percent at most are ejected at a time, and always one. */
  readonly maxEjectionPercent: number;
}

/** What is done to a member of the pool. */
interface Ejectable {
  readonly healthy: boolean;
  eject(ms: number, reason: string): void;
}

interface Counts {
  failures: number;
  answers: number;
  /** Of the logarithms of the times to an answer. */
  logs: number;
  /** How often it was ejected; one less for each interval without. */
  ejections: number;
  isEjected: boolean;
}

/** One session beside all others. */
interface Comparison<Member> {
  readonly member: Member;
  readonly counts: Counts;
  /** How far it is from the others; above 1 it is an outlier. */
  readonly distance: number;
  readonly reason: string;
}

/** With fewer that can be compared nobody can be told from the others. */
const FEWEST = 3;
/** The share of failures that is no outlier's: twice the others', and a tenth of its opens. */
const FAILURE_FACTOR = 2;
const FAILURE_MARGIN = 0.1;
const LATENCY_MARGIN = 10;
/** Times below are noise, and a logarithm of nothing is none. */
const LEAST_MS = 0.1;
const MAX_EJECTION = 300_000;

export class Outliers<Member extends Ejectable> {
  readonly #rules: OutlierRules;
  readonly #counts = new Map<Member, Counts>();
  #until: number | undefined;

  constructor(rules: OutlierRules) {
    this.#rules = rules;
  }

  added(member: Member): void {
    this.#counts.set(member, { failures: 0, answers: 0, logs: 0, ejections: 0, isEjected: false });
  }

  removed(member: Member): void {
    this.#counts.delete(member);
  }

  answered(member: Member, ms: number, now: number): void {
    const counts = this.#counts.get(member);
    if (counts === undefined) return;
    counts.answers += 1;
    counts.logs += Math.log(Math.max(LEAST_MS, ms));
    this.#look(now);
  }

  failed(member: Member, now: number): void {
    const counts = this.#counts.get(member);
    if (counts === undefined) return;
    counts.failures += 1;
    this.#look(now);
  }

  #look(now: number): void {
    this.#until ??= now + this.#rules.interval;
    if (now < this.#until) return;
    this.#until = now + this.#rules.interval;
    const outliers = this.#compare();
    for (const [member, counts] of this.#counts) {
      if (member.healthy) counts.isEjected = false;
      [counts.failures, counts.answers, counts.logs] = [0, 0, 0];
    }
    this.#eject(outliers);
  }

  /** The outliers, the farthest first. */
  #compare(): Comparison<Member>[] {
    const { minimumOpens } = this.#rules;
    const compared = [...this.#counts].filter(
      ([member, { failures, answers }]) => member.healthy && failures + answers >= minimumOpens,
    );
    if (compared.length < FEWEST) return [];
    const all = { failures: 0, answers: 0, logs: 0 };
    for (const [, { failures, answers, logs }] of compared) {
      all.failures += failures;
      all.answers += answers;
      all.logs += logs;
    }
    return compared
      .map(([member, counts]) => this.#beside(member, counts, all))
      .filter(({ distance }) => distance > 1)
      .sort((one, other) => other.distance - one.distance);
  }

  #beside(
    member: Member,
    counts: Counts,
    all: { readonly failures: number; readonly answers: number; readonly logs: number },
  ): Comparison<Member> {
    const failing = counts.failures / (counts.failures + counts.answers);
    const othersFailures = all.failures - counts.failures;
    const othersAnswers = all.answers - counts.answers;
    const othersFailing = othersFailures / (othersFailures + othersAnswers);
    const byFailures = failing / (FAILURE_FACTOR * othersFailing + FAILURE_MARGIN);
    const ms = Math.exp(counts.logs / counts.answers);
    const othersMs = Math.exp((all.logs - counts.logs) / othersAnswers);
    // One that has answered nothing has no latency, and fails by its failures.
    const byLatency =
      counts.answers === 0 || othersAnswers === 0
        ? 0
        : Math.min(ms / (this.#rules.latencyFactor * othersMs), ms / (othersMs + LATENCY_MARGIN));
    const reason =
      byFailures > 1
        ? `${percent(failing)} of its opens failed, ${percent(othersFailing)} of the others'`
        : `its peer answered in ${ms.toFixed(0)} ms, those of the others in ${othersMs.toFixed(0)} ms`;
    return { member, counts, distance: Math.max(byFailures, byLatency), reason };
  }

  #eject(outliers: readonly Comparison<Member>[]): void {
    const { maxEjectionPercent, ejectionTime } = this.#rules;
    const most = Math.max(1, Math.floor((this.#counts.size * maxEjectionPercent) / 100));
    let ejected = 0;
    for (const counts of this.#counts.values()) if (counts.isEjected) ejected += 1;
    const ejectedNow = outliers.slice(0, Math.max(0, most - ejected));
    for (const [member, counts] of this.#counts) {
      if (member.healthy && !ejectedNow.some((one) => one.member === member)) {
        counts.ejections = Math.max(0, counts.ejections - 1);
      }
    }
    for (const { member, counts, reason } of ejectedNow) {
      const ms = Math.min(ejectionTime * 2 ** counts.ejections, Math.max(MAX_EJECTION, ejectionTime));
      counts.ejections += 1;
      counts.isEjected = true;
      member.eject(ms, reason);
    }
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
