// What every directory does, whatever engine it is on. A world makes directories on one engine, and lets time pass on it.
import { beforeEach, describe, expect, it } from 'vitest';
import type { Entry, Placement, SessionDirectory } from '../../src/directory/directory.ts';
import { nodeRecord } from '../support/records.ts';

export interface DirectoryWorld {
  /** One node's way to the engine. */
  connect(): Promise<SessionDirectory>;
  /** Until leases of `ms` that were renewed before are over. */
  outlive(ms: number): Promise<void>;
  /** The engine forgets everything. */
  clear(): Promise<void>;
}

const LEASE = 200;
/** Longer than any test. */
const LONG = 60_000;

function entry(node: string, name: string, seq: number, sessions: number, agents: readonly string[] = []): Entry {
  return { node, name, seq, sessions, agents: agents.map((id, index) => ({ id, weight: index + 1 })) };
}

export function directoryContract(world: () => DirectoryWorld): void {
  describe('a directory', () => {
    let one: SessionDirectory;
    let two: SessionDirectory;

    beforeEach(async () => {
      one = await world().connect();
      two = await world().connect();
    });

    const alive = async (directory: SessionDirectory, id: string): Promise<string[]> => {
      const { nodes } = await directory.beat(nodeRecord(id), LONG);
      return nodes.map((node) => node.id).sort();
    };
    const of = (placements: readonly Placement[]): Record<string, number> =>
      Object.fromEntries(placements.map(({ node, sessions }) => [node, sessions]));

    it('names every node whose lease runs, as it told of itself last', async () => {
      await one.beat(nodeRecord('a', { load: 1 }), LONG);
      await two.beat(nodeRecord('b', { address: 'host:9', weight: 2, draining: true }), LONG);
      const { nodes } = await one.beat(nodeRecord('a', { load: 7 }), LONG);
      expect([...nodes].sort((x, y) => x.id.localeCompare(y.id))).toEqual([
        nodeRecord('a', { load: 7 }),
        nodeRecord('b', { address: 'host:9', weight: 2, draining: true }),
      ]);
    });

    it('names no node whose lease has run out', async () => {
      await one.beat(nodeRecord('a'), LEASE);
      expect(await alive(two, 'b')).toEqual(['a', 'b']);
      await world().outlive(LEASE);
      expect(await alive(two, 'b')).toEqual(['b']);
    });

    it('names no node that has left', async () => {
      await one.beat(nodeRecord('a'), LONG);
      await one.leave('a');
      expect(await alive(two, 'b')).toEqual(['b']);
    });

    it('tells what each node has for a name, with its agents', async () => {
      await one.beat(nodeRecord('a'), LONG);
      await two.beat(nodeRecord('b'), LONG);
      await one.publish([entry('a', 'x', 1, 2, ['p', 'q']), entry('a', 'y', 2, 1)]);
      await two.publish([entry('b', 'x', 1, 5)]);
      const placements = await two.lookup('x');
      expect(of(placements)).toEqual({ a: 2, b: 5 });
      expect(placements.find(({ node }) => node === 'a')?.agents).toEqual([
        { id: 'p', weight: 1 },
        { id: 'q', weight: 2 },
      ]);
      expect(await two.lookup('nothing')).toEqual([]);
    });

    it('withdraws what has no sessions left', async () => {
      await one.beat(nodeRecord('a'), LONG);
      await one.publish([entry('a', 'x', 1, 2)]);
      await one.publish([entry('a', 'x', 2, 0)]);
      expect(await two.lookup('x')).toEqual([]);
    });

    it('drops entries that come late, and those that come twice', async () => {
      await one.beat(nodeRecord('a'), LONG);
      await one.publish([entry('a', 'x', 5, 2)]);
      await one.publish([entry('a', 'x', 6, 0)]);
      await one.publish([entry('a', 'x', 5, 2), entry('a', 'y', 4, 1)]);
      expect([await two.lookup('x'), await two.lookup('y')]).toEqual([[], []]);
    });

    it('says in each beat how far it has taken what the node published', async () => {
      expect((await one.beat(nodeRecord('a'), LONG)).seq).toBeUndefined();
      expect((await one.beat(nodeRecord('a'), LONG)).seq).toBe(0);
      await one.publish([entry('a', 'x', 3, 1), entry('a', 'y', 4, 1)]);
      expect((await one.beat(nodeRecord('a'), LONG)).seq).toBe(4);
      expect((await two.beat(nodeRecord('b'), LONG)).seq).toBeUndefined();
    });

    it('takes nothing from a node without a lease', async () => {
      await one.publish([entry('a', 'x', 1, 1)]);
      expect(await two.lookup('x')).toEqual([]);
      expect((await one.beat(nodeRecord('a'), LONG)).seq).toBeUndefined();
    });

    it('says after it has lost its memory that it has', async () => {
      await one.beat(nodeRecord('a'), LONG);
      await one.publish([entry('a', 'x', 1, 1)]);
      await world().clear();
      expect((await one.beat(nodeRecord('a'), LONG)).seq).toBeUndefined();
      expect(await two.lookup('x')).toEqual([]);
      await one.publish([entry('a', 'x', 2, 1)]);
      expect(of(await two.lookup('x'))).toEqual({ a: 1 });
    });

    it('keeps what a node had published when its lease runs out, for when it comes back', async () => {
      await one.beat(nodeRecord('a'), LEASE);
      await one.publish([entry('a', 'x', 1, 1)]);
      await world().outlive(LEASE);
      expect(await alive(two, 'b')).toEqual(['b']);
      await one.publish([entry('a', 'x', 2, 7)]);
      expect(of(await two.lookup('x'))).toEqual({ a: 1 });
      expect((await one.beat(nodeRecord('a'), LONG)).seq).toBe(1);
      expect(await alive(two, 'b')).toEqual(['a', 'b']);
    });

    it('hints that a name has changed, to those that have looked it up', async () => {
      await one.beat(nodeRecord('a'), LONG);
      await one.publish([entry('a', 'x', 1, 1)]);
      const hint = new Promise<string>((resolve) => {
        two.watch({ changed: resolve, unsure: () => {}, up: () => {}, down: () => {} });
      });
      await two.lookup('x');
      await one.publish([entry('a', 'x', 2, 2)]);
      expect(await hint).toBe('x');
    });
  });
}
