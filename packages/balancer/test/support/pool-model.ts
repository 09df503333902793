// A naive pool: it looks at everybody at every step, and says whom the pool must pick and what its counts must be.
import { expect } from 'vitest';
import { affinity } from '../../src/choosing/strategies/affinity.ts';
import { StrategyName } from '../../src/choosing/strategies/named.ts';
import { mergeSessionMetadata, withMaxActiveStreams, withSessionWeight } from '../../src/member/session-change.ts';
import { SessionPool } from '../../src/pool.ts';
import type { RoutingContext } from '../../src/routing.ts';
import { ManualClock, queueDrained, seededRandom } from '../../src/testing.ts';
import { MAX_BINDINGS, ModelBindings, TTL } from './model-bindings.ts';
import { leave, ownerOf, weigh } from './model-choice.ts';
import { type Answer, type ModelOpen, ModelSession, RULES } from './model-session.ts';

const pickOf = <T>(items: readonly T[], nth: number): T | undefined => items[nth % items.length];

const MAX_WAITING = 4;

/** One call of open(). */
interface ModelCall {
  readonly routing: RoutingContext;
  readonly waits: boolean;
  /** Kept from the first time that it waits. */
  ticket: number | undefined;
  tried: ModelSession[];
  faults: number;
  /** At least one session was asked on its behalf. */
  isAsked: boolean;
}

export class PoolModel {
  readonly pool: SessionPool;
  readonly all: ModelSession[] = [];
  readonly #strategy: StrategyName;
  readonly #openAttempts: number;
  readonly #panicThreshold: number;
  readonly #goneAway = new Set<ModelSession>();
  #picks = 0;
  #attempts = 0;
  #failures = 0;
  /** The opens that the pool has asked its sessions for, and that the model has not accounted for yet. */
  readonly #log: ModelOpen[] = [];
  /** On whose behalf a session was asked. */
  readonly #askedFor = new Map<ModelOpen, ModelCall>();
  #waiting: ModelCall[] = [];
  #tickets = 0;
  readonly #opens: Promise<unknown>[] = [];
  #isOver = false;

  readonly #clock = new ManualClock();
  readonly #bindings = new ModelBindings(this.#clock);

  /** `panicThreshold` as the pool has it. */
  constructor(name: StrategyName, openAttempts: number, panicThreshold: number) {
    this.#strategy = name;
    this.#openAttempts = openAttempts;
    this.#panicThreshold = panicThreshold;
    const strategy = name === 'affinity' ? affinity({ ttl: TTL, maxBindings: MAX_BINDINGS }) : name;
    this.pool = new SessionPool({
      strategy,
      openAttempts,
      panicThreshold,
      maxWaiting: MAX_WAITING,
      random: seededRandom(7),
      clock: this.#clock,
      ...RULES,
    });
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 1) {
      this.#clock.advance(1);
      for (const one of this.all) one.lapse(this.#clock.now());
      this.serveWaiting();
    }
  }

  get inside(): ModelSession[] {
    return this.all.filter(({ gone }) => !gone);
  }

  /** Those whom the contract allows, found by looking at everybody; the model's state is then that after the pick. */
  #expected(asked: RoutingContext, tried: readonly ModelSession[]): ModelSession[] {
    const matching = this.inside.filter((one) => one.matches(asked) && !tried.includes(one));
    const isPanic = this.#isPanic(asked);
    const able = matching.filter((one) => (isPanic ? one.ready : one.eligible));
    const now = this.#clock.now();
    const [trial] = matching
      .filter((one) => one.ready && one.health.mayBeginTrial(now))
      .sort((a, b) => a.lastPick - b.lastPick);
    if (trial !== undefined && (able.length === 0 || (tried.length === 0 && !this.#sticks(asked)))) {
      trial.health.beginTrial(now);
      return [trial];
    }
    if (able.length === 0 || this.#strategy === StrategyName.Random) return able;
    const inTurn = [...able].sort((a, b) => a.lastPick - b.lastPick);
    if (this.#strategy === StrategyName.Weighted) return [weigh(inTurn)];
    if (this.#strategy === StrategyName.Affinity) return [this.#bound(asked, inTurn)];
    if (this.#strategy === StrategyName.PeakEwma) return this.#notTheWorst(inTurn);
    if (this.#strategy === StrategyName.Rendezvous && asked.affinityKey !== undefined)
      return [ownerOf(asked.affinityKey, able)];
    const least = this.#strategy === StrategyName.LeastConn ? Math.min(...able.map(({ load }) => load)) : Infinity;
    return [inTurn.find(({ load }) => load <= least) as ModelSession];
  }

  /** Among those that match, healthy ones are too few to heed their health. */
  #isPanic(asked: RoutingContext): boolean {
    const matching = this.inside.filter((one) => one.matches(asked));
    const healthy = matching.filter(({ health }) => health.healthy);
    return 100 * healthy.length < this.#panicThreshold * matching.length;
  }

  /** Of two at random the better one is taken, so that the worst is never. */
  #notTheWorst(inTurn: readonly ModelSession[]): ModelSession[] {
    if (inTurn.length === 1) return [...inTurn];
    const now = this.#clock.now();
    const costs = inTurn.map((one) => one.latency.cost(one.load, now));
    const worst = costs.lastIndexOf(Math.max(...costs));
    return inTurn.filter((_, index) => index !== worst);
  }

  /** Whom the key belongs to, whether or not that may be picked now. */
  #boundTo(asked: RoutingContext): ModelSession | undefined {
    if (this.#strategy === StrategyName.Affinity) return this.#bindings.of(asked.affinityKey)?.session;
    const matching = this.inside.filter((one) => one.matches(asked));
    if (this.#strategy !== StrategyName.Rendezvous || asked.affinityKey === undefined) return undefined;
    return matching.length === 0 ? undefined : ownerOf(asked.affinityKey, matching);
  }

  #sticks(asked: RoutingContext): boolean {
    return this.#boundTo(asked)?.eligible === true;
  }

  #bound({ affinityKey: key }: RoutingContext, inTurn: readonly ModelSession[]): ModelSession {
    const next = inTurn[0] as ModelSession;
    if (key === undefined) return next;
    const binding = this.#bindings.of(key);
    if (binding !== undefined && inTurn.includes(binding.session)) {
      this.#bindings.bind(key, binding.session, binding.confirmed);
      return binding.session;
    }
    if (binding === undefined || !binding.session.keepsBindings) this.#bindings.bind(key, next, false);
    return next;
  }

  #settled(session: ModelSession, { affinityKey: key }: RoutingContext, ok: boolean): void {
    if (key === undefined) return;
    const binding = this.#bindings.of(key);
    if (!ok) this.#bindings.drop((one) => one === binding && one.session === session && !one.confirmed);
    else if (binding?.session === session) binding.confirmed = true;
    else if (binding === undefined && session.keepsBindings) this.#bindings.bind(key, session, true);
  }

  /** The model's half of a pick; the pool's half has happened already. True if a session was asked. */
  #picked(expected: readonly ModelSession[], call: ModelCall): boolean {
    if (expected.length === 0) return false;
    const open = this.#log.shift() as ModelOpen;
    const { session } = open;
    expect(expected).toContain(session);
    this.#picks += 1;
    this.#attempts += 1;
    session.lastPick = this.#picks;
    session.attempts += 1;
    open.epoch = session.health.epoch;
    session.pending.push(open);
    session.latency.asked(open, this.#clock.now());
    expect(session.load).toBeLessThanOrEqual(session.cap);
    call.tried.push(session);
    call.isAsked = true;
    this.#askedFor.set(open, call);
    return true;
  }

  /** First come, first served, among those that ask for the same: whoever can be served has been. */
  serveWaiting(): void {
    if (this.#waiting.length === 0) return;
    const blocked = new Set<string>();
    for (const call of [...this.#waiting]) {
      const kind = kindOf(call.routing);
      if (blocked.has(kind)) continue;
      if (this.#picked(this.#expected(call.routing, []), call))
        this.#waiting = this.#waiting.filter((one) => one !== call);
      else blocked.add(kind);
    }
  }

  /** What becomes of a call that no session can serve now. True if it waits. */
  #waits(call: ModelCall): boolean {
    if (!call.waits || call.faults > 0 || this.#waiting.length >= MAX_WAITING) return false;
    call.tried = [];
    this.#tickets += 1;
    call.ticket ??= this.#tickets;
    this.#waiting = [...this.#waiting, call].sort((a, b) => (a.ticket ?? 0) - (b.ticket ?? 0));
    return true;
  }

  open(asked: RoutingContext, waits: boolean): void {
    const call: ModelCall = { routing: asked, waits, ticket: undefined, tried: [], faults: 0, isAsked: false };
    const expected = this.#expected(asked, []);
    const matching = this.inside.filter((one) => one.matches(asked));
    const opened = this.pool.open(asked, { wait: waits }).then(
      (stream) => stream.on('error', () => {}),
      (error: { message: string; code?: string }) => {
        if (this.#isOver) expect(error.code).toBe('ERR_YAMUX_POOL_CLOSED');
        else if (call.isAsked) expect(error.message).toMatch(/refused|4 opens wait already/);
        else {
          const reason = matching.length === 0 && !waits ? 'NO_MATCHING' : 'NO_AVAILABLE';
          expect(error.code).toBe(`ERR_YAMUX_POOL_${reason}_SESSION`);
        }
      },
    );
    this.#opens.push(opened);
    if (!this.#picked(expected, call)) this.#waits(call);
  }

  /** When the pool is destroyed no open may be left that does not settle. */
  async settled(): Promise<void> {
    this.#isOver = true;
    this.pool.destroy();
    await Promise.all(this.#opens);
    expect(this.#clock.timers).toBe(0);
  }

  async answer(nth: number, answer: Answer): Promise<void> {
    const session = pickOf(
      this.all.filter(({ pending }) => pending.length > 0),
      nth,
    );
    const open = session === undefined ? undefined : pickOf(session.pending, nth);
    if (session !== undefined && open !== undefined) await this.#answer(open, answer);
  }

  async #answer(open: ModelOpen, answer: Answer): Promise<void> {
    const { session } = open;
    const call = this.#askedFor.get(open) as ModelCall;
    this.#askedFor.delete(open);
    session.pending = session.pending.filter((other) => other !== open);
    open.settle(answer);
    const ok = answer === 'opened';
    const now = this.#clock.now();
    this.#settled(session, call.routing, ok);
    if (!ok) session.latency.ended(open, now);
    if (answer === 'broken') session.latency.failed(now);
    if (answer === 'refused') {
      session.refusedAt(now);
      session.health.refused(open.epoch, now);
    }
    if (answer === 'broken') {
      session.health.failed(open.epoch, now);
      call.faults += 1;
    }
    if (!ok) this.#failures += 1;
    await queueDrained();
    // Those that wait come first.
    this.serveWaiting();
    if (ok || call.faults >= this.#openAttempts) return;
    if (!this.#picked(this.#expected(call.routing, call.tried), call)) this.#waits(call);
  }

  async close(nth: number, byError: boolean): Promise<void> {
    const session = pickOf(
      this.all.filter(({ active }) => active.length > 0),
      nth,
    );
    const one = session === undefined ? undefined : pickOf(session.active, nth);
    if (session === undefined || one === undefined) return;
    session.active = session.active.filter((other) => other !== one);
    session.health.inconclusive(one.epoch);
    session.latency.ended(one.open, this.#clock.now());
    session.hasRoom();
    one.stream.destroy(byError ? new Error('reset') : undefined);
    await queueDrained();
  }

  acknowledge(nth: number): void {
    const session = pickOf(
      this.all.filter(({ active }) => active.length > 0),
      nth,
    );
    const one = session === undefined ? undefined : pickOf(session.active, nth);
    if (session === undefined || one === undefined || one.stream.acknowledged) return;
    session.health.succeeded(one.epoch);
    session.latency.answered(one.open, this.#clock.now());
    one.stream.acknowledge();
  }

  add(cap: number): void {
    if (this.all.length >= 10) return;
    const session = new ModelSession(this.all.length, cap, this.#log);
    this.#join(session);
    this.all.push(session);
  }

  /** All facts at once; a cap may be below what is open. */
  update(nth: number, facts: { readonly cap: number; readonly weight: number; readonly zone: string }): void {
    const session = pickOf(this.inside, nth);
    if (session === undefined) return;
    if (facts.weight !== session.weight) leave(session, this.#others(session));
    const { cap, weight, zone } = facts;
    Object.assign(session, { cap, weight, zone });
    const changed = session.ref.update(
      withMaxActiveStreams(cap),
      withSessionWeight(weight),
      mergeSessionMetadata({ zone }),
      { tags: session.tags },
    );
    expect(changed).toMatchObject({ maxActiveStreams: cap, weight, metadata: { zone } });
  }

  #others(session: ModelSession): ModelSession[] {
    return this.inside.filter((one) => one !== session);
  }

  #join(session: ModelSession): void {
    const { key, id, zone, cap, fake, weight, tags } = session;
    session.ref = this.pool.add(fake, { key, id, tags, metadata: { zone }, maxActiveStreams: cap, weight });
  }

  async act(what: string, nth: number): Promise<void> {
    const session = pickOf(this.inside, nth);
    if (session === undefined) return;
    if (what === 'drain') {
      session.ref.drain(what);
      session.draining = true;
    } else if (what === 'goAway') {
      session.fake.emit('goAway', 0);
      session.draining = true;
      this.#goneAway.add(session);
    } else if (what === 'resume') {
      const may = session.draining && !this.#goneAway.has(session);
      expect(session.ref.resume()).toBe(may);
      if (may) session.draining = false;
    } else if (what === 'remove' || what === 'end') {
      // A session settles what it has in hand before it has ended.
      while (what === 'end' && session.pending.length > 0)
        await this.#answer(session.pending[0] as ModelOpen, 'broken');
      if (what === 'end') session.fake.end(new Error('transport'));
      else expect(session.ref.remove()).toBe(true);
      session.gone = true;
      this.#bindings.drop((binding) => binding.session === session);
      leave(session, this.inside);
      expect(session.fake.watchers).toBe(0);
    }
  }

  /** What explain() says of each session is what the model knows; it must leave no trace in what comes after. */
  explain(asked: RoutingContext): void {
    const bound = this.#boundTo(asked);
    const isPanic = this.#isPanic(asked);
    const verdictOf = (one: ModelSession): string => (isPanic && one.ready ? 'eligible' : one.verdict);
    expect(this.pool.explain(asked).map(({ key, verdict, bound }) => [key, verdict, bound])).toEqual(
      this.inside.map((one) => [one.key, one.matches(asked) ? verdictOf(one) : 'filtered', one === bound]),
    );
  }

  /** Every gauge recounted, and every candidate asked for by its key. */
  check(): void {
    expect(this.#log).toEqual([]);
    const stats = this.pool.stats();
    const sum = (count: (one: ModelSession) => number): number =>
      this.inside.reduce((total, one) => total + count(one), 0);
    expect(stats).toEqual({
      sessionsTotal: this.inside.length,
      sessionsAvailable: sum(({ eligible }) => Number(eligible)),
      sessionsDraining: sum(({ draining }) => Number(draining)),
      sessionsCapacityLimited: sum(({ full }) => Number(full)),
      sessionsHealthy: sum(({ health }) => Number(health.healthy)),
      sessionsProbing: sum(({ health }) => Number(health.isProbing(this.#clock.now()))),
      activeStreams: sum(({ active }) => active.length),
      pendingStreams: sum(({ pending }) => pending.length),
      panic: this.#isPanic({}),
      waitingOpens: this.#waiting.length,
      openAttempts: this.#attempts,
      openFailures: this.#failures,
      affinity:
        this.#strategy === StrategyName.Affinity
          ? expect.objectContaining({ bindings: this.#bindings.alive.length })
          : undefined,
      sessions: this.inside.map((one) =>
        expect.objectContaining({
          key: one.key,
          available: one.eligible,
          activeStreams: one.active.length,
          pendingStreams: one.pending.length,
          openAttempts: one.attempts,
          openFailures: one.failures,
        }),
      ),
    });
    for (const one of this.all) {
      expect(one.ref.snapshot()).toMatchObject({
        activeStreams: one.active.length,
        pendingStreams: one.pending.length,
      });
    }
  }
}

const kindOf = ({ sessionKey, sessionId, requiredMetadata, requiredTags }: RoutingContext): string =>
  JSON.stringify([sessionKey, sessionId, requiredMetadata, requiredTags]);
