// The placements of the node's own pool: for each name the number of sessions that take streams, and their agents. It gets the sessions one by one, and
// does not know the pool.
import type { Agent } from '../directory/directory.ts';
import { type KnownPlacement, known } from './known-placement.ts';

/** If a name has more agents, they are not listed, and keys are mapped to nodes. */
export const MAX_LISTED_AGENTS = 64;

interface Held {
  sessions: number;
  /** For each agent id the weight and the number of its sessions. */
  readonly agents: Map<string, { weight: number; sessions: number }>;
  /** The placement as last computed; undefined after a change. */
  placement: KnownPlacement | undefined;
}

interface Holder extends Agent {
  readonly names: readonly string[];
}

export class Holdings {
  readonly #node: string;
  readonly #names = new Map<string, Held>();
  readonly #sessions = new Map<string, Holder>();
  readonly #changed: (name: string) => void;

  /** `changed` is called with each name whose placement has changed. */
  constructor(node: string, changed: (name: string) => void) {
    this.#node = node;
    this.#changed = changed;
  }

  /** The number of names with sessions. */
  get size(): number {
    return this.#names.size;
  }

  names(): Iterable<string> {
    return this.#names.keys();
  }

  /** A session takes streams for these names. Another call replaces the names. */
  set(session: string, agent: Agent, names: readonly string[]): void {
    const before = this.#sessions.get(session);
    const unique = [...new Set(names)];
    if (before !== undefined && isSame(before, agent, unique)) return;
    this.delete(session);
    this.#sessions.set(session, { ...agent, names: unique });
    for (const name of unique) this.#add(name, agent);
  }

  /** The session takes no more streams or has ended. */
  delete(session: string): void {
    const holder = this.#sessions.get(session);
    if (holder === undefined) return;
    this.#sessions.delete(session);
    for (const name of holder.names) this.#remove(name, holder.id);
  }

  placement(name: string): KnownPlacement | undefined {
    const held = this.#names.get(name);
    if (held === undefined) return undefined;
    held.placement ??= this.#placementOf(held);
    return held.placement;
  }

  #placementOf({ sessions, agents }: Held): KnownPlacement {
    const listed = agents.size > MAX_LISTED_AGENTS ? [] : Array.from(agents, ([id, { weight }]) => ({ id, weight }));
    return known({ node: this.#node, sessions, agents: listed });
  }

  #add(name: string, { id, weight }: Agent): void {
    const held = this.#names.get(name) ?? { sessions: 0, agents: new Map(), placement: undefined };
    this.#names.set(name, held);
    held.sessions += 1;
    held.agents.set(id, { weight, sessions: (held.agents.get(id)?.sessions ?? 0) + 1 });
    held.placement = undefined;
    this.#changed(name);
  }

  #remove(name: string, id: string): void {
    const held = this.#names.get(name) as Held;
    const agent = held.agents.get(id) as { sessions: number };
    held.sessions -= 1;
    agent.sessions -= 1;
    if (agent.sessions === 0) held.agents.delete(id);
    if (held.sessions === 0) this.#names.delete(name);
    held.placement = undefined;
    this.#changed(name);
  }
}

function isSame(before: Holder, { id, weight }: Agent, names: readonly string[]): boolean {
  if (before.id !== id || before.weight !== weight || before.names.length !== names.length) return false;
  return names.every((name, index) => before.names[index] === name);
}
