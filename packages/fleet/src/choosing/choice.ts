// Which node serves an open. Pure: who is there, and chance, come in as arguments; how the node is reached is not known here.
import type { KnownPlacement } from '../names/known-placement.ts';
import type { KnownNode } from '../nodes/node-view.ts';
import { firstInOrder } from './key-choice.ts';

/** `'prefer-local'`: own sessions while one takes streams. `'global'`: all nodes alike. */
export type Choose = 'prefer-local' | 'global';

export interface ChoiceContext {
  /** The id of this node. */
  readonly self: string;
  readonly choose: Choose;
  /** The node, if it may be asked now. */
  readonly reachable: (id: string) => KnownNode | undefined;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** A placement on a node that may be asked. */
export interface Option {
  readonly placement: KnownPlacement;
  readonly node: KnownNode;
}

/**
 * One of the nodes that have sessions for a name: by the order of `keyHash` where there is one, else by load.
 * @param tried ids of nodes that were asked already.
 */
export function chooseNode(
  placements: readonly KnownPlacement[],
  keyHash: number | undefined,
  tried: ReadonlySet<string> | undefined,
  context: ChoiceContext,
): KnownNode | undefined {
  const options: Option[] = [];
  const draining: Option[] = [];
  for (const placement of placements) {
    if (tried?.has(placement.node)) continue;
    const node = context.reachable(placement.node);
    if (node === undefined) continue;
    (node.record.draining ? draining : options).push({ placement, node });
  }
  const able = options.length > 0 ? options : draining;
  if (able.length < 2) return able[0]?.node;
  if (keyHash !== undefined) return firstInOrder(able, keyHash, context.self);
  if (context.choose === 'prefer-local') {
    const own = able.find(({ node }) => node.record.id === context.self);
    if (own !== undefined) return own.node;
  }
  return betterOfTwo(able, context.random);
}

/**
 * Never "the least of all": loads are a beat old, and everybody would go to the same node. A node is drawn as often as it has sessions, so that one
 * with a single agent does not get as much as one with ten.
 */
function betterOfTwo(options: readonly Option[], random: () => number): KnownNode {
  const first = draw(options, undefined, random);
  const second = draw(options, first, random);
  return loadOf(second.node) < loadOf(first.node) ? second.node : first.node;
}

function draw(options: readonly Option[], without: Option | undefined, random: () => number): Option {
  let total = 0;
  for (const option of options) if (option !== without) total += option.placement.sessions;
  let left = random() * total;
  let last = options[0] as Option;
  for (const option of options) {
    if (option === without) continue;
    last = option;
    left -= option.placement.sessions;
    if (left < 0) break;
  }
  return last;
}

function loadOf({ record, opens }: KnownNode): number {
  return (record.load + opens) / record.weight;
}
