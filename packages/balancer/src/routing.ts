// What one open asks of the session that is to serve it.
import { checkMetadata, checkNames, checkObject, checkString, checkTags } from './checks.ts';

/** What one open asks for. All that is given must hold; an empty string or an empty object asks for nothing. */
export interface RoutingContext {
  /** Exactly the session with this key. */
  readonly sessionKey?: string | undefined;
  /** Any session with this id: the sessions of one node. */
  readonly sessionId?: string | undefined;
  /** Any session whose metadata has at least these pairs. */
  readonly requiredMetadata?: Readonly<Record<string, string>> | undefined;
  /** Any session that has all of these tags. Indexed: a pick by one tag costs what a pick costs, however many others there are. */
  readonly requiredTags?: readonly string[] | undefined;
  /** What the affinity strategy keeps on one session: a tenant, a user. Other strategies do not look at it. */
  readonly affinityKey?: string | undefined;
  /** The same, where there is no `affinityKey`. An address is never taken for a key of the same text. */
  readonly sourceIp?: string | undefined;
  /**
   * For this open, the order that {@link rendezvous} gives for this key, whatever the strategy of the pool: the first in it that takes a
   * stream.
   */
  readonly orderedBy?: string | undefined;
}

/** Asks for nothing. */
export const NO_ROUTING: RoutingContext = Object.freeze({});

/** A routing, checked, and without what asks for nothing. */
export interface Constraints {
  readonly key: string | undefined;
  readonly id: string | undefined;
  readonly tags: readonly string[] | undefined;
  readonly metadata: readonly Pair[] | undefined;
}

interface Pair {
  readonly name: string;
  readonly value: string;
  /** Every object has something of this name: only then must a session be asked whether it is its own. */
  readonly isInherited: boolean;
}

/** The facts of a session that constraints are about. The metadata is a plain object: what it inherits is what every object does. */
export interface Matchable {
  readonly key: string;
  readonly id: string;
  readonly tags: ReadonlySet<string>;
  readonly metadata: Readonly<Record<string, string>>;
}

const NAMES: readonly (keyof RoutingContext)[] = [
  'sessionKey',
  'sessionId',
  'requiredMetadata',
  'requiredTags',
  'affinityKey',
  'sourceIp',
  'orderedBy',
];

const UNCONSTRAINED: Constraints = { key: undefined, id: undefined, tags: undefined, metadata: undefined };

/** @throws TypeError if the routing is not of the documented shape. */
export function constraintsOf(routing: RoutingContext | undefined): Constraints {
  if (routing === undefined) return UNCONSTRAINED;
  checkObject('routing', routing);
  checkNames('name', 'a routing', routing, NAMES);
  const { sessionKey, sessionId, requiredMetadata, requiredTags } = routing;
  checkString('routing.affinityKey', routing.affinityKey);
  checkString('routing.sourceIp', routing.sourceIp);
  checkString('routing.orderedBy', routing.orderedBy);
  if (requiredTags !== undefined) checkTags('routing.requiredTags', requiredTags);
  if (sessionKey === undefined && sessionId === undefined && requiredMetadata === undefined && !requiredTags?.length) {
    return UNCONSTRAINED;
  }
  checkString('routing.sessionKey', sessionKey);
  checkString('routing.sessionId', sessionId);
  checkMetadata('routing.requiredMetadata', requiredMetadata);
  const pairs = Object.entries(requiredMetadata ?? {}).map(([name, value]) => ({
    name,
    value,
    isInherited: name in Object.prototype,
  }));
  return {
    key: sessionKey || undefined,
    id: sessionId || undefined,
    tags: requiredTags?.length ? [...requiredTags] : undefined,
    metadata: pairs.length > 0 ? pairs : undefined,
  };
}

export function matches(session: Matchable, { key, id, tags, metadata }: Constraints): boolean {
  if (key !== undefined && session.key !== key) return false;
  if (id !== undefined && session.id !== id) return false;
  if (tags !== undefined) {
    for (let index = 0; index < tags.length; index += 1) if (!session.tags.has(tags[index] as string)) return false;
  }
  if (metadata === undefined) return true;
  const own = session.metadata;
  // This runs for every session of a filtered open.
  for (let index = 0; index < metadata.length; index += 1) {
    const pair = metadata[index] as Pair;
    if (own[pair.name] !== pair.value || (pair.isInherited && !Object.hasOwn(own, pair.name))) return false;
  }
  return true;
}

/** Equal for equal constraints. */
export function kindOf({ key, id, tags = [], metadata = [] }: Constraints): string {
  return JSON.stringify([
    key ?? null,
    id ?? null,
    [...tags].sort(),
    metadata.map(({ name, value }) => [name, value]).sort(),
  ]);
}

/** For error texts: what was asked. */
export function describeConstraints({ key, id, tags, metadata }: Constraints): string {
  const asked: string[] = [];
  if (key !== undefined) asked.push(`key ${JSON.stringify(key)}`);
  if (id !== undefined) asked.push(`id ${JSON.stringify(id)}`);
  for (const tag of tags ?? []) asked.push(`tag ${JSON.stringify(tag)}`);
  for (const { name, value } of metadata ?? []) asked.push(`metadata ${name}=${JSON.stringify(value)}`);
  return asked.join(', ');
}
