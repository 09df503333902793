// Changes of a session while it is in the pool: each makes new facts out of the old, and all are checked before any holds.
import { checkCap, checkFunction, checkMetadata, checkString, checkWeight } from '../checks.ts';

/** What an owner says of a session, and may say anew at any time. */
export interface SessionFacts {
  /** A name for people. */
  readonly label: string | undefined;
  /** Its share of the load, for strategies that weigh. */
  readonly weight: number;
  /** Cap of active and pending streams; `Infinity` for none. */
  readonly maxActiveStreams: number;
  /** Names and values by which an open may ask for it. */
  readonly metadata: Readonly<Record<string, string>>;
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
export function applyChanges(facts: SessionFacts, changes: readonly SessionChange[]): SessionFacts {
  let changed = facts;
  for (const change of changes) {
    checkFunction('a change', (change as unknown) ?? null);
    changed = change(changed);
  }
  return checkFacts(changed);
}

/** @throws RangeError or TypeError. */
export function checkFacts({ label, weight, maxActiveStreams, metadata }: SessionFacts): SessionFacts {
  checkString('label', label);
  checkWeight(weight);
  checkCap(maxActiveStreams);
  checkMetadata('metadata', metadata);
  return { label, weight, maxActiveStreams, metadata: Object.freeze({ ...metadata }) };
}
