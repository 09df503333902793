import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf } from '../../../src/choosing/key-order.ts';
import { rendezvous } from '../../../src/choosing/strategies/rendezvous.ts';
import { SessionPool } from '../../../src/pool.ts';
import { FakeSession } from '../../../src/testing.ts';
import { candidate, type FakeCandidate } from '../../support/candidates.ts';
import { runs } from '../../support/runs.ts';

const KEYS = Array.from({ length: 2_000 }, (_, number) => `tenant-${number}`);
const RUNS = runs(30, 5);
const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 12 });

function ownersOf(candidates: readonly FakeCandidate[], keys: readonly string[] = KEYS): string[] {
  const strategy = rendezvous();
  return keys.map((affinityKey) => (candidates[strategy.pick(candidates, { affinityKey })] as FakeCandidate).key);
}

const some = KEYS.slice(0, 100);

describe('rendezvous', () => {
  it('hashes as it is specified', () => {
    // FNV-1a over UTF-8, then fmix32; the vectors were computed by a program of its own.
    expect(['', 'a', 'tenant-1', 'é', '漢字', '🎈', '\ud83d'].map(hashOf)).toEqual([
      2872998923, 444641715, 1151549711, 2387039943, 1862367541, 2455410356, 1205388858,
    ]);
  });

  it('gives a key the same session whatever the order in which they joined', () => {
    fc.assert(
      fc.property(ids, fc.func(fc.integer()), (names, order) => {
        const shuffled = [...names].sort((a, b) => order(a) - order(b));
        const [one, other] = [names, shuffled].map((list) => list.map((name) => candidate(name)));
        expect(ownersOf(one as FakeCandidate[], some)).toEqual(ownersOf(other as FakeCandidate[], some));
      }),
      RUNS,
    );
  });

  it('moves the keys of one that leaves, each to the next in its order, and no others', () => {
    fc.assert(
      fc.property(ids, fc.nat(), fc.array(fc.integer({ min: 1, max: 5 })), (names, nth, weights) => {
        const sessions = names.map((name, index) => candidate(name, weights[index] ?? 1));
        const leaving = sessions[nth % sessions.length] as FakeCandidate;
        const before = ownersOf(sessions, some);
        const after = ownersOf(
          sessions.filter((one) => one !== leaving),
          some,
        );
        before.forEach((owner, index) => {
          if (owner !== leaving.key) expect(after[index]).toBe(owner);
        });
      }),
      RUNS,
    );
  });

  it('gives each session its share by weight, none to a weight of 0, unless there is no other', () => {
    const owners = ownersOf([candidate('a', 1), candidate('b', 2), candidate('c', 0), candidate('d', 1)]);
    const share = (key: string): number => owners.filter((owner) => owner === key).length / KEYS.length;
    // Four standard deviations of 2,000 draws are 4.5 points.
    expect(share('a')).toBeCloseTo(0.25, 1);
    expect(Math.abs(share('b') - 0.5)).toBeLessThan(0.045);
    expect(share('c')).toBe(0);
    expect(new Set(ownersOf([candidate('a', 0), candidate('b', 0)]))).toEqual(new Set(['a', 'b']));
  });

  it('scales: the same weights times ten change nothing', () => {
    const names = ['a', 'b', 'c'];
    const [one, ten] = [1, 10].map((factor) => names.map((name, index) => candidate(name, factor * (index + 1))));
    expect(ownersOf(one as FakeCandidate[])).toEqual(ownersOf(ten as FakeCandidate[]));
  });

  it('never lets a session exceed its bound at the moment at which it is picked, and is itself below it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ weight: fc.integer({ min: 1, max: 5 }), load: fc.nat(20) }), {
          minLength: 1,
          maxLength: 10,
        }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        fc.constantFrom(...some),
        (facts, maxLoadFactor, affinityKey) => {
          const sessions = facts.map(({ weight, load }, index) => ({ ...candidate(`s${index}`, weight), load }));
          const total = facts.reduce((sum, { load }) => sum + load, 0) + 1;
          const weights = facts.reduce((sum, { weight }) => sum + weight, 0);
          const bounded = sessions[rendezvous({ maxLoadFactor }).pick(sessions, { affinityKey })];
          const free = sessions[rendezvous().pick(sessions, { affinityKey })];
          const boundOf = (one: FakeCandidate | undefined): number =>
            Math.ceil((maxLoadFactor * total * (one?.weight ?? 0)) / weights);
          expect((bounded?.load ?? 0) + 1).toBeLessThanOrEqual(boundOf(bounded));
          if ((free?.load ?? 0) + 1 <= boundOf(free)) expect(bounded).toBe(free);
        },
      ),
      RUNS,
    );
  });

  it('goes over ids: sessions of one id share its keys by their load', async () => {
    const pool = new SessionPool({ strategy: 'rendezvous' });
    for (const key of ['a1', 'a2']) pool.add(new FakeSession().answers(), { key, id: 'a' });
    pool.add(new FakeSession().answers(), { key: 'b1', id: 'b' });
    const affinityKey = KEYS.find((key) =>
      pool.explain({ affinityKey: key }).some(({ id, bound }) => bound && id === 'a'),
    );
    const served: string[] = [];
    for (let open = 0; open < 4; open += 1) served.push((await pool.openStream({ affinityKey })).session.key);
    expect(served).toEqual(['a1', 'a2', 'a1', 'a2']);
  });

  it('spills a key to the next in its order while its session is full, and tells in explain() whose it is', async () => {
    const pool = new SessionPool({ strategy: rendezvous() });
    for (const key of ['a', 'b', 'c']) pool.add(new FakeSession().answers(), { key, maxActiveStreams: 1 });
    const served: string[] = [];
    for (let open = 0; open < 3; open += 1) served.push((await pool.openStream({ affinityKey: 'x' })).session.key);
    expect(new Set(served).size).toBe(3);
    const bound = pool.explain({ affinityKey: 'x' }).filter((one) => one.bound);
    expect(bound).toMatchObject([{ key: served[0], verdict: 'full' }]);
    expect(pool.explain({}).some((one) => one.bound)).toBe(false);
  });

  it('takes an address for a key of its own kind, and asks its fallback where there is no key', async () => {
    const pool = new SessionPool({
      strategy: rendezvous({ fallback: { name: 'last', pick: ({ length }) => length - 1 } }),
    });
    for (const key of ['a', 'b', 'c', 'd', 'e']) pool.add(new FakeSession().answers(), { key });
    const of = async (routing: object): Promise<string> => (await pool.openStream(routing)).session.key;
    expect(await of({})).toBe('e');
    expect(await of({ sourceIp: '::ffff:10.0.0.1' })).toBe(await of({ sourceIp: '10.0.0.1' }));
    const addresses = await Promise.all(some.map((key) => of({ sourceIp: key })));
    const keys = await Promise.all(some.map((key) => of({ affinityKey: key })));
    expect(addresses).not.toEqual(keys);
  });

  it('orders one open by its orderedBy, whatever the strategy of the pool', async () => {
    const [pool, sticky] = [new SessionPool({ strategy: 'least-conn' }), new SessionPool({ strategy: 'rendezvous' })];
    for (const key of ['a', 'b', 'c']) {
      pool.add(new FakeSession().answers(), { key });
      sticky.add(new FakeSession().answers(), { key });
    }
    for (const key of some) {
      const own = (await sticky.openStream({ affinityKey: key })).session.key;
      expect((await pool.openStream({ orderedBy: key })).session.key).toBe(own);
      expect(pool.explain({ orderedBy: key }).find(({ bound }) => bound)?.key).toBe(own);
    }
  });

  it.each([
    [{ maxLoadFactor: 0.9 }, RangeError],
    [{ maxLoadFactor: Number.NaN }, RangeError],
  ])('refuses the options %o', (options, type) => {
    expect(() => rendezvous(options)).toThrow(type);
    expect(() => rendezvous({ fallback: rendezvous() })).toThrow('The fallback of rendezvous cannot be rendezvous');
  });
});
