// The least cost of two candidates taken at random. The cost is what an open is likely to wait there: the streams that run, times the time in
// which the peer has answered of late, which a slow answer raises at once and quick ones lower by and by. A peer that owes an answer costs at
// least the time for which it has been silent: one that has stalled is avoided as soon as that is longer than the others take.
import { checkDelay, checkOptions } from '../../checks.ts';
import { SlowStart, type SlowStartOptions } from '../slow-start.ts';
import type { Candidate, CandidateView, Strategy, StrategyContext } from '../strategy.ts';

/** Of {@link peakEwma}. */
export interface PeakEwmaOptions extends SlowStartOptions {
  /**
   * Milliseconds after which a slow answer weighs a third of what it did.
   * @defaultValue 10000
   */
  readonly decay?: number | undefined;
}

/** What is known of one session. */
interface Latency {
  readonly candidate: Candidate;
  /** Milliseconds at `at`; NaN before the first answer. */
  cost: number;
  at: number;
  /** The quickest answer so far: an idle session is not thought to be quicker than it has ever been. */
  quickest: number;
  /** The round trip that was told last. */
  rtt: number | undefined;
  /** For how long bytes had waited in vain, as it was told last. */
  stalledFor: number | undefined;
  /** That figure, where it has been remembered in the cost. */
  keptStall: number | undefined;
}

/** An attempt that fails is no quick answer. */
const FAILURE = 1_000;
/** So long bytes wait in an upload that flows, too: from one credit to the next. */
const FLOWING = 50;
/** Answers below a millisecond are equally quick: what differs is noise, and the load decides. */
const QUICK = 1;
/** Of a session that is being tried for the first time, until it has answered. */
const UNKNOWN = 1e9;

class PeakEwma implements Strategy {
  readonly name = 'peak-ewma';
  readonly #decay: number;
  readonly #slowStart: SlowStart;
  readonly #latencies: (Latency | undefined)[] = [];
  #context: StrategyContext | undefined;

  constructor(decay: number, slowStart: SlowStart) {
    this.#decay = decay;
    this.#slowStart = slowStart;
  }

  attach(context: StrategyContext): void {
    this.#context = context;
    this.#slowStart.attach(context);
  }

  pick(candidates: CandidateView): number {
    const { length } = candidates;
    if (length === 1) return 0;
    const first = this.#anyBelow(length);
    let second = this.#anyBelow(length - 1);
    if (second >= first) second += 1;
    const [one, other] = [candidates.at(first) as Candidate, candidates.at(second) as Candidate];
    const now = this.#now();
    const [cost, otherCost] = [this.#cost(one, now), this.#cost(other, now)];
    if (cost === otherCost) return one.turn < other.turn ? first : second;
    return cost < otherCost ? first : second;
  }

  added(candidate: Candidate): void {
    this.#latencies[candidate.ordinal] = {
      candidate,
      cost: Number.NaN,
      at: 0,
      quickest: Infinity,
      rtt: undefined,
      stalledFor: undefined,
      keptStall: undefined,
    };
    this.#slowStart.note(candidate);
  }

  updated(candidate: Candidate): void {
    this.#slowStart.note(candidate);
  }

  removed({ ordinal }: Candidate): void {
    this.#latencies[ordinal] = undefined;
  }

  answered(candidate: Candidate, ms: number): void {
    const latency = this.#latencyOf(candidate);
    if (latency !== undefined) this.#observe(latency, ms, this.#now());
  }

  /** Its answer would have taken at least so long: who gives up on a peer must not make it look idle and quick. */
  unanswered(candidate: Candidate, ms: number): void {
    const latency = this.#latencyOf(candidate);
    if (latency !== undefined) this.#raise(latency, ms);
  }

  failed(candidate: Candidate, _routing: unknown, isFault: boolean): void {
    const latency = this.#latencyOf(candidate);
    if (latency !== undefined && isFault) this.#raise(latency, FAILURE);
  }

  /** It is slower than that, if it was thought to be quicker. */
  #raise(latency: Latency, ms: number): void {
    const now = this.#now();
    if (this.#expected(latency, now) >= ms) return;
    latency.cost = ms;
    latency.at = now;
    if (latency.quickest === Infinity) latency.quickest = ms;
  }

  /** Undefined for one that has left: its ordinal is another's. */
  #latencyOf(candidate: Candidate): Latency | undefined {
    const latency = this.#latencies[candidate.ordinal];
    return latency?.candidate === candidate ? latency : undefined;
  }

  #now(): number {
    return this.#context?.now() ?? 0;
  }

  #anyBelow(length: number): number {
    const index = Math.floor((this.#context?.random() ?? Math.random()) * length);
    return index >= 0 ? Math.min(index, length - 1) : 0;
  }

  #cost(candidate: Candidate, now: number): number {
    const { load, rtt, stalledFor, silentSince } = candidate;
    const latency = this.#latencies[candidate.ordinal] as Latency;
    if (rtt !== latency.rtt) {
      latency.rtt = rtt;
      if (rtt !== undefined) this.#observe(latency, rtt, now);
    }
    const stall = stalledFor !== undefined && stalledFor > FLOWING ? this.#stall(latency, stalledFor) : 0;
    let ms = this.#expected(latency, now);
    // One open finds out how quick a new session is; the others go where that is known.
    if (Number.isNaN(ms)) ms = load === 0 ? 0 : UNKNOWN;
    else if (ms < QUICK) ms = QUICK;
    if (silentSince !== undefined && now - silentSince > ms) ms = now - silentSince;
    if (stall > ms) ms = stall;
    const ramp = this.#slowStart.now;
    const cost = (load + 1) * ms;
    return ramp === undefined ? cost : cost / this.#slowStart.share(candidate, ramp);
  }

  /**
   * What a session costs in which bytes have waited in vain for so long. No more than a failure: one upload that nobody reads may be all that
   * waits. While the figure grows it counts as it is: it may be our own event loop that stood still. Once those that waited have given up it
   * stays as it is, and is remembered.
   */
  #stall(latency: Latency, stalledFor: number): number {
    const ms = Math.min(stalledFor, FAILURE);
    if (stalledFor !== latency.stalledFor) {
      latency.stalledFor = stalledFor;
      return ms;
    }
    if (stalledFor !== latency.keptStall) {
      latency.keptStall = stalledFor;
      this.#raise(latency, ms);
    }
    return 0;
  }

  /** Reading does not change it: it falls back to the quickest answer as time goes by. */
  #expected({ cost, at, quickest }: Latency, now: number): number {
    const passed = now - at;
    return passed <= 0 ? cost : quickest + (cost - quickest) * Math.exp(-passed / this.#decay);
  }

  #observe(latency: Latency, sample: number, now: number): void {
    // NaN would stay for ever.
    const ms = sample >= 0 && sample < Infinity ? sample : 0;
    const passed = Math.max(0, now - latency.at);
    const cost = this.#expected(latency, now);
    latency.quickest = Math.min(latency.quickest, ms);
    if (Number.isNaN(cost) || ms >= cost) latency.cost = ms;
    else latency.cost = ms + (cost - ms) * Math.exp(-passed / this.#decay);
    latency.at = Math.max(latency.at, now);
  }
}

/**
 * The lesser cost of two candidates taken at random: streams that run there, times the time to its answers, by a moving average that a slow
 * answer raises at once. A session whose peer has stalled is avoided within a few round trips, long before it is unhealthy.
 * @throws RangeError for a `decay` or `slowStart` that is no delay; TypeError for an unknown option.
 */
export function peakEwma(options: PeakEwmaOptions = {}): Strategy {
  checkOptions('peak-ewma', options, ['decay', 'slowStart']);
  const { decay = 10_000, slowStart } = options;
  checkDelay('decay', decay);
  if (decay === 0) throw new RangeError('Expected decay to be above 0 ms, got 0');
  return new PeakEwma(decay, new SlowStart(slowStart));
}
