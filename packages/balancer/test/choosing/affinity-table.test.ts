import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyKind } from '../../src/choosing/affinity-key.ts';
import { AffinityTable } from '../../src/choosing/affinity-table.ts';
import { runs } from '../support/runs.ts';

interface Session {
  readonly name: string;
}

const sessions: readonly Session[] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];

interface NaiveBinding {
  readonly kind: KeyKind;
  readonly key: string;
  session: Session;
  confirmed: boolean;
  expiresAt: number;
}

/** The same table, slowly: an array in order of update. */
class NaiveTable {
  readonly evictions: string[] = [];
  bindings: NaiveBinding[] = [];
  now = 0;
  readonly ttl: number;
  readonly cap: number;

  constructor(ttl: number, cap: number) {
    this.ttl = ttl || Infinity;
    this.cap = cap || Infinity;
  }

  #drop(one: NaiveBinding, reason: string): void {
    this.bindings = this.bindings.filter((other) => other !== one);
    this.evictions.push(`${one.kind}:${one.key} ${one.session.name} ${reason}`);
  }

  find(kind: KeyKind, key: string): NaiveBinding | undefined {
    const one = this.bindings.find((other) => other.kind === kind && other.key === key);
    if (one === undefined || this.now < one.expiresAt) return one;
    this.#drop(one, 'ttl');
    return undefined;
  }

  bind(kind: KeyKind, key: string, session: Session, confirmed: boolean): void {
    this.bindings = this.bindings.filter((other) => other.kind !== kind || other.key !== key);
    this.bindings.push({ kind, key, session, confirmed, expiresAt: this.now + this.ttl });
    if (this.bindings.length > this.cap) this.#drop(this.bindings[0] as NaiveBinding, 'cap');
  }

  touch(one: NaiveBinding): void {
    one.expiresAt = this.now + this.ttl;
    this.bindings = [...this.bindings.filter((other) => other !== one), one];
  }

  removeSession(session: Session): void {
    for (const one of this.bindings.filter((other) => other.session === session)) this.#drop(one, 'removed');
  }

  sweep(limit: number): void {
    for (const one of this.bindings.slice(0, limit)) {
      if (this.now < one.expiresAt) return;
      this.#drop(one, 'ttl');
    }
  }
}

const kind = fc.constantFrom<KeyKind>('affinityKey', 'sourceIp');
const key = fc.constantFrom('1', '2', '3', '4', '5', '6');
const session = fc.constantFrom(...sessions);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('bind' as const), kind, key, session, flag: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('touch', 'confirm', 'release', 'find'), kind, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('removeSession' as const), session }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sweep' as const), limit: fc.constantFrom(1, 2, Infinity) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: -30, max: 60 }) }) },
);

describe('AffinityTable', () => {
  it('is a naive table: what it holds, in which order it lets go, whom it tells', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0, 50, 100),
        fc.constantFrom(0, 1, 3, 8),
        fc.array(step, { maxLength: 100 }),
        (ttl, cap, steps) => {
          const evictions: string[] = [];
          const naive = new NaiveTable(ttl, cap);
          const table = new AffinityTable<Session>(ttl, cap, (binding, reason) =>
            evictions.push(`${binding.kind}:${binding.key} ${binding.session.name} ${reason}`),
          );
          let clock = 1_000;
          for (const one of steps) {
            // The table's time is the latest that it was told: a clock that jumps back stands still.
            if (one.do !== 'pass' && one.do !== 'removeSession') naive.now = Math.max(naive.now, clock);
            if (one.do === 'bind') {
              table.bind(one.kind, one.key, one.session, clock, one.flag);
              naive.bind(one.kind, one.key, one.session, one.flag);
            } else if (one.do === 'removeSession') {
              const told = evictions.length;
              table.removeSession(one.session);
              naive.removeSession(one.session);
              // They all go at once, in no order.
              for (const each of [evictions, naive.evictions]) each.push(...each.splice(told).sort());
            } else if (one.do === 'sweep') {
              table.sweep(clock, one.limit);
              naive.sweep(one.limit);
            } else if (one.do === 'pass') clock += one.ms;
            else {
              const found = table.find(one.kind, one.key, clock);
              const expected = naive.find(one.kind, one.key);
              expect(found?.session).toBe(expected?.session);
              expect(found?.confirmed).toBe(expected?.confirmed);
              if (found !== undefined && expected !== undefined) {
                if (one.do === 'touch') {
                  table.touch(found, clock);
                  naive.touch(expected);
                } else if (one.do === 'confirm') {
                  table.confirm(found);
                  expected.confirmed = true;
                } else if (one.do === 'release') {
                  table.release(found);
                  naive.bindings = naive.bindings.filter((other) => other !== expected);
                }
              }
            }
            expect(table.size).toBe(naive.bindings.length);
            expect(evictions).toEqual(naive.evictions);
          }
        },
      ),
      {
        ...runs(300),
        examples: [
          // The clock jumps back before the table was told of any time.
          [
            50,
            0,
            [
              { do: 'pass', ms: -1 },
              { do: 'bind', kind: 'affinityKey', key: '1', session: sessions[0] as Session, flag: false },
              { do: 'pass', ms: 50 },
              { do: 'sweep', limit: 1 },
            ],
          ],
          // The order in which the bindings of a session go is not that of their last use.
          [
            0,
            0,
            [
              { do: 'bind', kind: 'affinityKey', key: '1', session: sessions[0] as Session, flag: false },
              { do: 'bind', kind: 'affinityKey', key: '3', session: sessions[0] as Session, flag: false },
              { do: 'touch', kind: 'affinityKey', key: '1' },
              { do: 'removeSession', session: sessions[0] as Session },
            ],
          ],
          // It was told of a time by a look for what is not there.
          [
            50,
            0,
            [
              { do: 'find', kind: 'affinityKey', key: '2' },
              { do: 'pass', ms: -1 },
              { do: 'bind', kind: 'affinityKey', key: '1', session: sessions[0] as Session, flag: false },
              { do: 'pass', ms: 50 },
              { do: 'sweep', limit: 1 },
            ],
          ],
        ],
      },
    );
  });

  it('lets a binding go exactly when its time has passed', () => {
    const table = new AffinityTable<Session>(100, 0);
    table.bind('affinityKey', 'k', sessions[0] as Session, 1_000, true);
    expect(table.find('affinityKey', 'k', 1_099)).toBeDefined();
    expect(table.find('affinityKey', 'k', 1_100)).toBeUndefined();
  });

  it('revives nothing when the clock jumps back', () => {
    const table = new AffinityTable<Session>(100, 0);
    table.bind('affinityKey', 'k', sessions[0] as Session, 1_000, true);
    table.bind('sourceIp', 'k', sessions[0] as Session, 1_100, true);
    expect(table.find('affinityKey', 'k', 1_000)).toBeUndefined();
  });

  it('removes the bindings of one session without looking at the others', () => {
    const table = new AffinityTable<Session>(0, 0);
    const [few, many] = sessions as [Session, Session];
    for (let index = 0; index < 10_000; index += 1) table.bind('affinityKey', `m${index}`, many, 0, true);
    for (let index = 0; index < 3; index += 1) table.bind('affinityKey', `f${index}`, few, 0, true);
    let lookups = 0;
    const get = Map.prototype.get;
    const spied = function (this: Map<unknown, unknown>, one: unknown): unknown {
      lookups += 1;
      return get.call(this, one);
    };
    Map.prototype.get = spied as typeof get;
    try {
      table.removeSession(few);
    } finally {
      Map.prototype.get = get;
    }
    expect(table.size).toBe(10_000);
    expect(lookups).toBeLessThan(20);
  });

  it('evicts without walking over what it deleted before', () => {
    const cap = 1_000;
    const table = new AffinityTable<Session>(0, cap);
    let iterators = 0;
    const keys = Map.prototype.keys;
    const entries = Map.prototype[Symbol.iterator];
    Map.prototype.keys = function (this: Map<unknown, unknown>) {
      iterators += 1;
      return keys.call(this);
    } as typeof keys;
    Map.prototype[Symbol.iterator] = function (this: Map<unknown, unknown>) {
      iterators += 1;
      return entries.call(this);
    } as typeof entries;
    try {
      for (let index = 0; index < 3 * cap; index += 1) {
        table.bind('affinityKey', `k${index}`, sessions[0] as Session, 0, true);
      }
    } finally {
      Map.prototype.keys = keys;
      Map.prototype[Symbol.iterator] = entries;
    }
    expect(table.size).toBe(cap);
    expect(iterators).toBe(0);
    expect(table.find('affinityKey', `k${2 * cap - 1}`, 0)).toBeUndefined();
    expect(table.find('affinityKey', `k${2 * cap}`, 0)).toBeDefined();
  });

  it('lets whoever is told of a binding that goes let go of others', () => {
    const told: string[] = [];
    const [a, b] = sessions as [Session, Session];
    const table: AffinityTable<Session> = new AffinityTable<Session>(0, 0, (binding) => {
      told.push(binding.key);
      table.removeSession(a);
      table.removeSession(b);
    });
    for (const one of ['1', '2']) table.bind('affinityKey', one, a, 0, true);
    table.bind('affinityKey', '3', b, 0, true);
    table.removeSession(a);
    expect(told.sort()).toEqual(['1', '2', '3']);
    expect(table.size).toBe(0);
  });
});
