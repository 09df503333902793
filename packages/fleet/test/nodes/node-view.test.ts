import { describe, expect, it } from 'vitest';
import { type Answer, NodeView } from '../../src/nodes/node-view.ts';
import { nodeRecord } from '../support/records.ts';

const DOUBT = 10_000;
const nobody = (): boolean => false;

function view(...others: string[]): NodeView {
  const made = new NodeView(nodeRecord('me'), DOUBT);
  made.update(answer(...others), 0, nobody);
  return made;
}

function answer(...ids: string[]): Answer {
  return { nodes: ['me', ...ids].map((id) => nodeRecord(id)), hasForgotten: false, suspicions: 1 };
}

const ids = (of: NodeView): string[] => Array.from(of, ({ record }) => record.id).sort();
const idsOf = (records: readonly { readonly id: string }[]): string[] => records.map(({ id }) => id);

describe('NodeView', () => {
  it('takes in who is named, and lets go of who is not', () => {
    const nodes = view('a', 'b');
    const { joined, left } = nodes.update(answer('b', 'c'), 1, nobody);
    expect([idsOf(joined), idsOf(left)]).toEqual([['c'], ['a']]);
    expect(ids(nodes)).toEqual(['b', 'c', 'me']);
  });

  it('never loses itself', () => {
    const nodes = view();
    nodes.update({ ...answer(), nodes: [] }, 1, nobody);
    expect(ids(nodes)).toEqual(['me']);
  });

  it('keeps a node that still answers on a link, though its lease has run out', () => {
    const nodes = view('a', 'b');
    nodes.update(answer('b'), 1, (id) => id === 'a');
    expect(ids(nodes)).toEqual(['a', 'b', 'me']);
    nodes.update(answer('b'), 2, nobody);
    expect(ids(nodes)).toEqual(['b', 'me']);
  });

  it('does not believe for a while that more than half of the nodes went at once', () => {
    const nodes = view('a', 'b', 'c');
    expect(nodes.update(answer(), 1_000, nobody).left).toEqual([]);
    expect(nodes.update(answer(), 1_000 + DOUBT - 1, nobody).left).toEqual([]);
    expect(idsOf(nodes.update(answer(), 1_000 + DOUBT, nobody).left)).toEqual(['a', 'b', 'c']);
  });

  it('believes at once that one of two went', () => {
    const nodes = view('a');
    expect(idsOf(nodes.update(answer(), 1, nobody).left)).toEqual(['a']);
  });

  it('waits for the others to come back to a directory that has lost its memory', () => {
    const nodes = view('a', 'b', 'c', 'd');
    nodes.update({ ...answer('b', 'c', 'd'), hasForgotten: true }, 1_000, nobody);
    nodes.update(answer('b', 'c', 'd'), 2_000, nobody);
    expect(ids(nodes)).toEqual(['a', 'b', 'c', 'd', 'me']);
    nodes.update(answer('b', 'c', 'd'), 1_000 + DOUBT, nobody);
    expect(ids(nodes)).toEqual(['b', 'c', 'd', 'me']);
  });

  it('counts the own opens from each load that is told', () => {
    const nodes = view('a');
    const node = nodes.get('a');
    if (node === undefined) throw new Error('a is known');
    node.opens = 7;
    nodes.update({ ...answer(), nodes: [nodeRecord('me'), nodeRecord('a', { load: 9 })] }, 1, nobody);
    expect(nodes.get('a')).toMatchObject({ opens: 0, record: { load: 9 } });
  });
});

describe('NodeView in doubt', () => {
  it('is in doubt from a suspicion until the next answer, which is believed', () => {
    const nodes = view('a', 'b');
    nodes.suspect(1_000);
    expect(nodes.isDoubtful(1_001)).toBe(true);
    expect(idsOf(nodes.update(answer('b'), 1_002, nobody).left)).toEqual(['a']);
    expect(nodes.isDoubtful(1_003)).toBe(false);
  });

  it('stays in doubt where the suspicion was right', () => {
    const nodes = view('a', 'b');
    nodes.suspect(1_000);
    nodes.update({ ...answer('b'), hasForgotten: true }, 2_000, nobody);
    expect([nodes.isDoubtful(2_000 + DOUBT - 1), nodes.isDoubtful(2_000 + DOUBT)]).toEqual([true, false]);
  });

  it('doubts one that has forgotten all for as long as ever, though a suspicion came after it', () => {
    const nodes = view('a', 'b');
    nodes.update({ ...answer('a'), hasForgotten: true }, 1_000, nobody);
    nodes.suspect(1_100);
    nodes.update(answer('a'), 2_000, nobody);
    expect([nodes.isDoubtful(2_100), ids(nodes)]).toEqual([true, ['a', 'b', 'me']]);
  });

  it('does not take an answer that was asked for before the suspicion for one that ends it', () => {
    const nodes = view('a');
    nodes.suspect(1_000);
    nodes.update({ ...answer('a'), suspicions: 0 }, 1_000, nobody);
    expect(nodes.isDoubtful(1_001)).toBe(true);
    nodes.update(answer('a'), 1_100, nobody);
    expect(nodes.isDoubtful(1_101)).toBe(false);
  });
});
