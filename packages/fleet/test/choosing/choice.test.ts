import { rendezvousHash } from '@zishuo/yamux-balancer';
import { seededRandom } from '@zishuo/yamux-balancer/testing';
import { describe, expect, it } from 'vitest';
import { type Choose, chooseNode } from '../../src/choosing/choice.ts';
import type { KnownPlacement } from '../../src/names/known-placement.ts';
import type { KnownNode } from '../../src/nodes/node-view.ts';
import { knownNode, placed } from '../support/records.ts';

interface Asked {
  readonly choose?: Choose;
  readonly self?: string;
  readonly key?: string;
  readonly tried?: readonly string[];
  readonly random?: () => number;
}

function chosen(
  nodes: readonly KnownNode[],
  placements: readonly KnownPlacement[],
  asked: Asked = {},
): string | undefined {
  const { choose = 'prefer-local', self = 'me', key, tried = [], random = seededRandom(1) } = asked;
  return chooseNode(placements, key === undefined ? undefined : rendezvousHash(key), new Set(tried), {
    self,
    choose,
    reachable: (id) => nodes.find(({ record }) => record.id === id),
    random,
  })?.record.id;
}

function counted(times: number, choose: () => string | undefined): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let n = 0; n < times; n += 1) {
    const id = String(choose());
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

describe('chooseNode()', () => {
  it('prefers the own sessions, and goes elsewhere once they were tried', () => {
    const nodes = [knownNode('me', { load: 1_000 }), knownNode('a')];
    const placements = [placed('a', 5), placed('me', 1)];
    expect(chosen(nodes, placements)).toBe('me');
    expect(chosen(nodes, placements, { tried: ['me'] })).toBe('a');
    expect(chosen(nodes, placements, { tried: ['me', 'a'] })).toBeUndefined();
  });

  it("takes all nodes alike where it is 'global'", () => {
    const nodes = [knownNode('me', { load: 1_000 }), knownNode('a')];
    expect(chosen(nodes, [placed('a', 1), placed('me', 1)], { choose: 'global' })).toBe('a');
  });

  it('takes nobody who cannot be reached', () => {
    expect(chosen([knownNode('a')], [placed('b', 9), placed('a', 1)])).toBe('a');
    expect(chosen([], [placed('b', 9)])).toBeUndefined();
  });

  it('takes a draining node only where there is no other', () => {
    const nodes = [knownNode('a', { draining: true }), knownNode('b', { load: 500 })];
    expect(chosen(nodes, [placed('a', 1), placed('b', 1)])).toBe('b');
    expect(chosen(nodes, [placed('a', 1)])).toBe('a');
  });

  it('takes the better of two by load, own opens since, and weight', () => {
    const two = (a: KnownNode, b: KnownNode): string | undefined => chosen([a, b], [placed('a', 1), placed('b', 1)]);
    expect(two(knownNode('a', { load: 5 }), knownNode('b', { load: 4 }))).toBe('b');
    expect(two(knownNode('a', { load: 4 }), knownNode('b', { load: 4 }, 1))).toBe('a');
    expect(two(knownNode('a', { load: 6, weight: 2 }), knownNode('b', { load: 4 }))).toBe('a');
  });

  it('does not send everybody to the one with the lowest load', () => {
    const nodes = Array.from({ length: 10 }, (_, n) => knownNode(`n${n}`, { load: n === 0 ? 0 : 100 }));
    const random = seededRandom(7);
    const counts = counted(10_000, () =>
      chosen(
        nodes,
        nodes.map(({ record }) => placed(record.id, 1)),
        { random },
      ),
    );
    // Of two out of ten, one is the first in a fifth of all draws.
    expect(counts.n0).toBeGreaterThan(1_800);
    expect(counts.n0).toBeLessThan(2_200);
  });

  it('draws a node as often as it has sessions', () => {
    const nodes = [knownNode('a'), knownNode('b'), knownNode('c')];
    const random = seededRandom(3);
    const counts = counted(10_000, () => chosen(nodes, [placed('a', 98), placed('b', 1), placed('c', 1)], { random }));
    expect(counts.a).toBeGreaterThan(9_500);
    expect(counts.b).toBeGreaterThan(0);
  });
});

describe('chooseNode() with a key', () => {
  const keys = Array.from({ length: 1_000 }, (_, n) => `key ${n}`);
  const nodes = ['me', 'a', 'b'].map((id) => knownNode(id));
  const before = [placed('me', 2, ['x', 'y']), placed('a', 1, ['z']), placed('b', 1, ['w'])];

  it('meets the same node from whichever node it comes', () => {
    const from = (self: string): (string | undefined)[] => keys.map((key) => chosen(nodes, before, { key, self }));
    expect(from('a')).toEqual(from('me'));
    expect(new Set(from('b')).size).toBe(3);
  });

  it('follows an agent that moves to another node', () => {
    const after = [placed('me', 1, ['y']), placed('a', 2, ['z', 'x']), placed('b', 1, ['w'])];
    for (const key of keys) {
      const [was, is] = [chosen(nodes, before, { key }), chosen(nodes, after, { key })];
      if (was === 'me') expect(['me', 'a']).toContain(is);
      else expect(is).toBe(was);
    }
  });

  it('takes this node where the agent is connected to several', () => {
    const twice = [placed('a', 1, ['x']), placed('me', 1, ['x']), placed('b', 1, ['x'])];
    expect(chosen(nodes, twice, { key: 'k' })).toBe('me');
  });

  it('goes by nodes where a node has too many agents to list them, and moves only the keys of one that leaves', () => {
    const many = [placed('me', 100), placed('a', 1, ['z']), placed('b', 1, ['w'])];
    const [was, is] = [many, many.slice(0, 2)].map((now) => keys.map((key) => chosen(nodes, now, { key })));
    expect(new Set(was).size).toBe(3);
    keys.forEach((_, n) => {
      if (was?.[n] !== 'b') expect(is?.[n]).toBe(was?.[n]);
    });
  });

  it('goes by nodes where the listed agents are too many together', () => {
    const agents = (prefix: string): string[] => Array.from({ length: 40 }, (_, n) => `${prefix}${n}`);
    const many = [placed('a', 40, agents('x')), placed('b', 40, agents('y'))];
    const byNode = [placed('a', 40), placed('b', 40)];
    expect(keys.map((key) => chosen(nodes, many, { key }))).toEqual(keys.map((key) => chosen(nodes, byNode, { key })));
  });
});
