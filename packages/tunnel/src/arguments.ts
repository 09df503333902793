// Checks the arguments from programs in plain JavaScript. Each error is one line: the expected and the given value.
import { nearestName } from '@zishuo/yamux';

/**
 * Throws for an unknown option, because a misspelt one would have no effect. `owner` is the name of the called function.
 *
 * @throws TypeError
 */
export function checkOptions(owner: string, given: unknown, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`expected the options of ${owner} to be an object, got ${nameOf(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const advice = nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean '${nearest}'?`;
    throw new TypeError(`unknown option '${name}' of ${owner}; ${advice}`);
  }
}

/** @throws TypeError */
export function checkLog(log: unknown): void {
  if (typeof log === 'function') return;
  throw new TypeError(`expected log to be a function of an event and its fields, got ${nameOf(log)}`);
}

export function nameOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
