// Chooses the node for an open. Pure: the nodes and the random numbers are arguments.
import type { KnownPlacement } from '../names/known-placement.ts';
import type { KnownNode } from '../nodes/node-view.ts';
import { firstInOrder } from './key-choice.ts';

/** `'prefer-local'`: sessions of this node while one takes streams. `'global'`: all nodes are equal. */
export type Choose = 'prefer-local' | 'global';

export interface ChoiceContext {
  /** The id of this node. */
  readonly self: string;
  readonly choose: Choose;
  /** Returns the node if it may be asked now. */
  readonly reachable: (id: string) => KnownNode | undefined;
  /** A random number from 0 to below 1. */
  readonly random: () => number;
}

/** A placement on a node that may be asked. */
export interface Option {
  readonly placement: KnownPlacement;
  readonly node: KnownNode;
}

/**
 * Chooses one of the nodes that have sessions for a name: by `keyHash` if given, else by load.
 * @param tried the ids of the nodes that were tried already.
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
 * Not the least loaded of all: loads are a beat old, and all nodes would choose the same one. The probability of a node is proportional to its sessions,
 * so that a node with one agent does not get as much as a node with ten.
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
