// Checks the arguments and options that an application passes in. Each error is one line: the expected value, the given value, and what to change.
import { MAX_DELAY, nearestName } from '@zishuo/yamux';

/**
 * Refuses a value that is not an options object, and an option whose name is not in `known`. `owner` names the function in messages: `dial()`.
 *
 * @throws {TypeError}
 */
export function checkOptions(owner: string, given: unknown, known: readonly string[]): void {
  checkOptionsObject(owner, given);
  for (const name of Object.keys(given ?? {})) {
    if (!known.includes(name)) throw unknownOption(owner, name, known);
  }
}

/**
 * Checks only that the value can be an options object. The caller checks the names of the options elsewhere.
 *
 * @throws {TypeError}
 */
export function checkOptionsObject(owner: string, given: unknown): void {
  if (
    given === undefined ||
    (typeof given === 'object' && given !== null && !Array.isArray(given) && !isEmitter(given))
  )
    return;
  let advice = given === null ? '; leave it out instead' : '';
  // By who serves in the style of net.createServer().
  if (typeof given === 'function' && (owner === 'yamux' || owner === 'dial()')) {
    advice = "; listen on the session with .on('stream', …) instead";
  }
  throw new TypeError(`Expected the options of ${owner} to be an object, got ${nameOf(given)}${advice}`);
}

/** True for a socket, a session or an AbortSignal: they are often passed in place of options. */
function isEmitter(value: object): boolean {
  return hasMethod(value, 'on') || hasMethod(value, 'addEventListener');
}

function unknownOption(owner: string, name: string, known: readonly string[]): TypeError {
  const nearest = nearestName(name, known);
  const advice = nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean '${nearest}'?`;
  return new TypeError(`Unknown option '${name}' of ${owner}; ${advice}`);
}

/** @throws {TypeError | RangeError} */
export function checkNumber(name: string, value: unknown, min: number, max: number): number {
  return checkWhole(name, value, min, max, '');
}

/** Refuses times that setTimeout() cannot wait for. The message names the unit, for callers that pass seconds. @throws {TypeError | RangeError} */
export function checkMilliseconds(name: string, value: unknown, min = 0): number {
  return checkWhole(name, value, min, MAX_DELAY, ' of milliseconds');
}

function checkWhole(name: string, value: unknown, min: number, max: number, unit: string): number {
  if (typeof value !== 'number') throw new TypeError(`Expected ${name} to be a number${unit}, got ${quoted(value)}`);
  const isWhole = Number.isInteger(value) || value === max;
  if (!isWhole || value < min || value > max) {
    throw new RangeError(`Expected ${name} to be a whole number${unit} from ${min} to ${max}, got ${value}`);
  }
  return value;
}

/** @throws {TypeError} */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new TypeError(`Expected ${name} to be a function, got ${nameOf(value)}`);
}

/** @throws {TypeError} */
export function checkOptionalFunction(name: string, value: unknown): void {
  if (value !== undefined) checkFunction(name, value);
}

/** @throws {TypeError} */
export function checkBoolean(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TypeError(`Expected ${name} to be true or false, got ${nameOf(value)}`);
  }
}

/** @throws {TypeError} */
export function checkSignal(name: string, value: unknown): void {
  if (value === undefined) return;
  if (isObject(value) && typeof value.aborted === 'boolean' && hasMethod(value, 'addEventListener')) return;
  const advice = isObject(value) && 'signal' in value ? ': pass its signal' : '';
  throw new TypeError(`Expected ${name} to be an AbortSignal, got ${nameOf(value)}${advice}`);
}

/** Refuses a plain string: spreading it would give its letters. @throws {TypeError} */
export function checkStrings(name: string, value: unknown): void {
  if (value === undefined) return;
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw new TypeError(`Expected ${name} to be an array of strings, got ${nameOf(value)}`);
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

export function hasMethod(value: object, name: string): boolean {
  return typeof (value as Readonly<Record<string, unknown>>)[name] === 'function';
}

/** Like `nameOf`, but shows the text of a string. Do not use it for a value that may be a password or a token. */
export function quoted(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : nameOf(value);
}

/** Names the type of a value, for error messages. */
export function nameOf(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return `the number ${value}`;
  if (Array.isArray(value)) return 'an array';
  if (!isObject(value)) return `a ${typeof value}`;
  const { constructor: maker } = value as { readonly constructor?: { readonly name?: unknown } };
  return `an object of ${typeof maker?.name === 'string' && maker.name !== '' ? maker.name : 'no class'}`;
}
