// Changes of a session while it is in the pool: each makes new facts out of the old, and all are checked before any holds.
import { checkCap, checkMetadata, checkNames, checkObject, checkString, checkTags, checkWeight } from '../checks.ts';

/** What an owner says of a session, and may say anew at any time. */
export interface SessionFacts {
  /** A name for people. */
  readonly label: string | undefined;
  /** Its share of the load, for strategies that weigh. */
  readonly weight: number;
  /** Cap of active and pending streams; `Infinity` for none. */
  readonly maxActiveStreams: number;
  /** What it serves: an open may ask for it by `requiredTags`. */
  readonly tags: readonly string[];
  /** Names and values by which an open may ask for it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The changes as one object: what is not named stays as it is. All hold at once, or none. */
export interface SessionUpdate {
  /** As {@link withSessionLabel}; undefined takes the label away. */
  readonly label?: string | undefined;
  /** As {@link withSessionWeight}. */
  readonly weight?: number;
  /** As {@link withMaxActiveStreams}. */
  readonly maxActiveStreams?: number;
  /** As {@link replaceSessionTags}. */
  readonly tags?: readonly string[];
  /** As {@link replaceSessionMetadata}; before the two below. */
  readonly replaceMetadata?: Readonly<Record<string, string>>;
  /** As {@link mergeSessionMetadata}. */
  readonly mergeMetadata?: Readonly<Record<string, string>>;
  /** As {@link deleteSessionMetadataKeys}; after the merge. */
  readonly deleteMetadataKeys?: readonly string[];
}

/** For `updateSession()` and `ref.update()`. Any such function is a change; what comes of all together is checked. */
export type SessionChange = (facts: SessionFacts) => SessionFacts;

/** A name for people; undefined for none. */
export function withSessionLabel(label: string | undefined): SessionChange {
  return (facts) => ({ ...facts, label });
}

/** Its share of the load from now on: finite, at least 0. */
export function withSessionWeight(weight: number): SessionChange {
  return (facts) => ({ ...facts, weight });
}

/** Its cap; `Infinity` for none. Streams above a lower one go on, and the session takes none until they are fewer. */
export function withMaxActiveStreams(maxActiveStreams: number): SessionChange {
  return (facts) => ({ ...facts, maxActiveStreams });
}

/** These tags and no others. */
export function replaceSessionTags(tags: readonly string[]): SessionChange {
  return (facts) => ({ ...facts, tags });
}

/** These pairs and no others. */
export function replaceSessionMetadata(metadata: Readonly<Record<string, string>>): SessionChange {
  return (facts) => ({ ...facts, metadata });
}

/**
 * Adds these pairs, over those of the same name.
 * @throws TypeError if a value is no string.
 */
export function mergeSessionMetadata(metadata: Readonly<Record<string, string>>): SessionChange {
  checkMetadata('metadata', metadata);
  return (facts) => ({ ...facts, metadata: { ...facts.metadata, ...metadata } });
}

/**
 * Takes out the pairs of these names, if they are there.
 * @throws TypeError if a name is no string.
 */
export function deleteSessionMetadataKeys(...keys: readonly string[]): SessionChange {
  for (const key of keys) checkString('a metadata key', key);
  return (facts) => {
    const rest = Object.entries(facts.metadata).filter(([key]) => !keys.includes(key));
    return { ...facts, metadata: Object.fromEntries(rest) };
  };
}

/** @throws RangeError or TypeError; then none of the changes holds. */
export function applyChanges(facts: SessionFacts, changes: readonly (SessionChange | SessionUpdate)[]): SessionFacts {
  let changed = facts;
  for (const change of changes) changed = typeof change === 'function' ? change(changed) : updated(changed, change);
  return checkFacts(changed);
}

const UPDATES: readonly (keyof SessionUpdate)[] = [
  'label',
  'weight',
  'maxActiveStreams',
  'tags',
  'replaceMetadata',
  'mergeMetadata',
  'deleteMetadataKeys',
];

function updated(facts: SessionFacts, update: SessionUpdate): SessionFacts {
  checkObject('a change', update);
  checkNames('name', 'a change', update, UPDATES);
  const { label, weight = facts.weight, maxActiveStreams = facts.maxActiveStreams, tags = facts.tags } = update;
  const { replaceMetadata, mergeMetadata, deleteMetadataKeys = [] } = update;
  const steps = [deleteSessionMetadataKeys(...deleteMetadataKeys)];
  if (mergeMetadata !== undefined) steps.unshift(mergeSessionMetadata(mergeMetadata));
  const metadata = replaceMetadata ?? facts.metadata;
  checkMetadata('replaceMetadata', metadata);
  const named = { label: 'label' in update ? label : facts.label, weight, maxActiveStreams, tags, metadata };
  return steps.reduce((before, step) => step(before), named);
}

/** @throws RangeError or TypeError. */
export function checkFacts({ label, weight, maxActiveStreams, tags, metadata }: SessionFacts): SessionFacts {
  checkString('label', label);
  checkWeight(weight);
  checkCap(maxActiveStreams);
  checkTags('tags', tags);
  checkMetadata('metadata', metadata);
  return {
    label,
    weight,
    maxActiveStreams,
    tags: Object.freeze([...new Set(tags)]),
    metadata: Object.freeze({ ...metadata }),
  };
}
