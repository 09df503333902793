// Sticky routing: a key stays with the session that served it first, for as long as that session can serve.

import { checkNames, checkOneOf, checkOptions } from '../../checks.ts';
import { InvalidStrategyError } from '../../errors.ts';
import type { AffinityStats } from '../../observe/stats.ts';
import type { RoutingContext } from '../../routing.ts';
import { keyOf, kindOfKey } from '../affinity-key.ts';
import { AffinityTable, type Binding } from '../affinity-table.ts';
import { attach } from '../chooser.ts';
import {
  type Candidate,
  type CandidateOrder,
  type CandidateView,
  isIndex,
  type Strategy,
  type StrategyContext,
} from '../strategy.ts';
import { roundRobin } from './round-robin.ts';

/** Ten minutes, in milliseconds. */
export const DEFAULT_AFFINITY_TTL = 600_000;
/** So many keys are bound at a time. */
export const DEFAULT_AFFINITY_MAX_BINDINGS = 65_536;

/**
 * What becomes of an open whose key is bound to a session that cannot be picked. `'rebind'`: the key moves to the session that
 * the fallback picks. `'spill'`: this open alone goes there, the binding stays.
 */
export type OnUnavailable = 'rebind' | 'spill';

/** Of {@link affinity}. */
export interface AffinityOptions {
  /**
   * Milliseconds for which a binding lives after its last use; 0: for ever.
   * @defaultValue 600000
   */
  readonly ttl?: number | undefined;
  /**
   * Above this many bindings the least recently used goes; 0: no bound.
   * @defaultValue 65,536
   */
  readonly maxBindings?: number | undefined;
  /**
   * The strategy for a key that has no binding.
   * @defaultValue roundRobin()
   */
  readonly fallback?: Strategy | undefined;
  /**
   * By the reason for which the bound session cannot be picked; a session that is gone is always rebound.
   * @defaultValue 'rebind' where it drains or is unhealthy, 'spill' where it is full or filtered out
   */
  readonly onUnavailable?:
    | {
        /** Default `'rebind'`. */
        readonly draining?: OnUnavailable | undefined;
        /** Default `'rebind'`. */
        readonly unhealthy?: OnUnavailable | undefined;
        /** At its cap. Default `'spill'`. */
        readonly full?: OnUnavailable | undefined;
        /** Not what this open's constraints ask for, or tried by this open already. Default `'spill'`. */
        readonly filtered?: OnUnavailable | undefined;
      }
    | undefined;
}

type Reason = 'draining' | 'unhealthy' | 'full' | 'filtered';

const DEFAULT_RULES: Readonly<Record<Reason, OnUnavailable>> = {
  draining: 'rebind',
  unhealthy: 'rebind',
  full: 'spill',
  filtered: 'spill',
};

const OPTIONS: readonly string[] = ['ttl', 'maxBindings', 'fallback', 'onUnavailable'];

/** So many expired bindings are let go at each pick: more than a pick can add. */
const SWEPT_PER_PICK = 2;

const NAME = 'affinity';

class Affinity implements Strategy {
  readonly name = NAME;
  readonly #fallback: Strategy;
  readonly #rules: Readonly<Record<Reason, OnUnavailable>>;
  readonly #table: AffinityTable<Candidate>;
  #context: StrategyContext | undefined;
  #hits = 0;
  #misses = 0;
  #rebinds = 0;
  #spills = 0;
  #expired = 0;
  #evicted = 0;

  constructor({ ttl, maxBindings, fallback = roundRobin(), onUnavailable = {} }: AffinityOptions) {
    if (fallback.name === NAME) throw new InvalidStrategyError('The fallback of affinity cannot be affinity');
    this.#fallback = fallback;
    if (fallback.answered !== undefined) {
      this.answered = (candidate, ms) => fallback.answered?.(candidate, ms);
      this.unanswered = (candidate, ms) => fallback.unanswered?.(candidate, ms);
    }
    this.#rules = rulesOf(onUnavailable);
    this.#table = new AffinityTable(
      checkBound('ttl', ttl ?? DEFAULT_AFFINITY_TTL),
      checkBound('maxBindings', maxBindings ?? DEFAULT_AFFINITY_MAX_BINDINGS),
      (binding, reason) => {
        if (reason === 'ttl') this.#expired += 1;
        if (reason === 'cap') this.#evicted += 1;
        const { kind, key, session, confirmed } = binding;
        // Of a binding that no open had confirmed nobody was told.
        if (confirmed) this.#context?.evicted({ kind, key, sessionKey: session.key, reason });
      },
    );
  }

  /** Only a fallback may want to hear of answers: without the method nothing is timed. */
  readonly answered: ((candidate: Candidate, ms: number) => void) | undefined;
  readonly unanswered: ((candidate: Candidate, ms: number) => void) | undefined;

  get order(): CandidateOrder | undefined {
    return this.#fallback.order;
  }

  attach(context: StrategyContext): void {
    attach(this.#fallback, context);
    this.#context = context;
  }

  pick(candidates: CandidateView, routing: RoutingContext): number {
    const kind = kindOfKey(routing);
    if (kind === undefined) return this.#fallback.pick(candidates, routing);
    const now = this.#now();
    const table = this.#table;
    table.sweep(now, SWEPT_PER_PICK);
    const key = keyOf(kind, routing);
    const binding = table.find(kind, key, now);
    if (binding === undefined) {
      this.#misses += 1;
    } else {
      const index = candidates.indexOf(binding.session);
      if (index !== -1) {
        this.#hits += 1;
        table.touch(binding, now);
        return index;
      }
      if (!this.#mayLeave(binding)) {
        this.#spills += 1;
        return this.#fallback.pick(candidates, routing);
      }
      this.#rebinds += 1;
    }
    const index = this.#fallback.pick(candidates, routing);
    // Tentative: others of a burst for the same key join it, and a failure takes it back.
    if (isIndex(index, candidates)) table.bind(kind, key, candidates.at(index) as Candidate, now, false);
    return index;
  }

  boundTo(routing: RoutingContext): Candidate | undefined {
    const kind = kindOfKey(routing);
    return kind === undefined ? undefined : this.#table.peek(kind, keyOf(kind, routing), this.#now())?.session;
  }

  added(candidate: Candidate): void {
    this.#fallback.added?.(candidate);
  }

  updated(candidate: Candidate): void {
    this.#fallback.updated?.(candidate);
  }

  removed(candidate: Candidate): void {
    this.#table.removeSession(candidate);
    this.#fallback.removed?.(candidate);
  }

  opened(candidate: Candidate, routing: RoutingContext): void {
    const kind = kindOfKey(routing);
    if (kind !== undefined) {
      const binding = this.#find(routing);
      const key = keyOf(kind, routing);
      if (binding?.session === candidate) {
        const isNew = !binding.confirmed;
        this.#table.confirm(binding);
        if (isNew) this.#context?.bound({ kind, key, sessionKey: candidate.key });
      } else if (binding === undefined && (candidate.unavailable ?? 'full') === 'full') {
        // The pool tried this session by itself, or a failure beside this success took the binding back.
        this.#table.bind(kind, key, candidate, this.#now(), true);
        this.#context?.bound({ kind, key, sessionKey: candidate.key });
      }
    }
    this.#fallback.opened?.(candidate, routing);
  }

  failed(candidate: Candidate, routing: RoutingContext, isFault: boolean): void {
    const binding = this.#find(routing);
    if (binding !== undefined && !binding.confirmed && binding.session === candidate) this.#table.release(binding);
    this.#fallback.failed?.(candidate, routing, isFault);
  }

  affinityStats(): AffinityStats {
    this.#table.sweep(this.#now(), Infinity);
    return {
      bindings: this.#table.size,
      hits: this.#hits,
      misses: this.#misses,
      rebinds: this.#rebinds,
      spills: this.#spills,
      expired: this.#expired,
      evicted: this.#evicted,
    };
  }

  #now(): number {
    return this.#context?.now() ?? 0;
  }

  #find(routing: RoutingContext): Binding<Candidate> | undefined {
    const kind = kindOfKey(routing);
    return kind === undefined ? undefined : this.#table.find(kind, keyOf(kind, routing), this.#now());
  }

  #mayLeave({ session }: Binding<Candidate>): boolean {
    const why = session.unavailable ?? 'filtered';
    return why === 'closed' || this.#rules[why] === 'rebind';
  }
}

function checkBound(name: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new RangeError(`Expected ${name} to be a finite number of at least 0 (0 for none), got ${value}`);
}

function rulesOf(given: NonNullable<AffinityOptions['onUnavailable']>): Readonly<Record<Reason, OnUnavailable>> {
  checkNames('reason', 'onUnavailable', given, Object.keys(DEFAULT_RULES));
  const rules = { ...DEFAULT_RULES };
  for (const [reason, rule] of Object.entries(given)) {
    if (rule === undefined) continue;
    checkOneOf(`onUnavailable.${reason}`, rule, ['rebind', 'spill']);
    rules[reason as Reason] = rule;
  }
  return rules;
}

/**
 * Keeps the opens of one `affinityKey` (or, without one, of one `sourceIp`) on one session. An open with neither goes to the fallback
 * and binds nothing. The binding is made by the first open of a key, which a burst of further opens joins, and holds once an open
 * has succeeded.
 * @throws RangeError for a negative bound; TypeError for an unknown option or rule; InvalidStrategyError
 * (`ERR_YAMUX_POOL_INVALID_STRATEGY`) if the fallback is affinity.
 */
export function affinity(options: AffinityOptions = {}): Strategy {
  checkOptions('affinity', options, OPTIONS);
  return new Affinity(options);
}
