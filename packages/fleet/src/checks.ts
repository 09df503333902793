// Checks of arguments. Each error says what was expected.
import { nearestName } from '@zishuo/yamux';

export function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`Expected ${name} to be an object, got ${value === null ? 'null' : typeof value}`);
  }
}

/** @throws TypeError for an unknown name; the message suggests the most similar known name. */
export function checkOptions(what: string, given: unknown, known: readonly string[]): void {
  checkObject(`the options of ${what}`, given);
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const advice = nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean '${nearest}'?`;
    throw new TypeError(`Unknown option '${name}' of ${what}; ${advice}`);
  }
}

export function checkText(name: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return;
  throw new TypeError(`Expected ${name} to be a string that is not empty, got ${value === '' ? "''" : typeof value}`);
}

export function checkOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (allowed.includes(value as string)) return;
  throw new TypeError(`Expected ${name} to be one of ${allowed.join(', ')}, got ${String(value)}`);
}

export function checkWhole(name: string, value: unknown, min: number): void {
  if (Number.isInteger(value) && (value as number) >= min) return;
  throw new RangeError(`Expected ${name} to be an integer of at least ${min}, got ${String(value)}`);
}

export function checkMethods(name: string, value: unknown, methods: readonly string[]): void {
  const object = value as Readonly<Record<string, unknown>> | null | undefined;
  if (methods.every((method) => typeof object?.[method] === 'function')) return;
  throw new TypeError(`Expected ${name} to be an object with ${methods.map((method) => `${method}()`).join(', ')}`);
}
