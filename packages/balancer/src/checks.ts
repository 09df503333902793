// What a caller may pass, said in the error when it is something else.

export function checkCap(value: number): void {
  if (value !== Infinity && (!Number.isInteger(value) || value < 1)) {
    throw new RangeError(`Expected maxActiveStreams to be an integer of at least 1 or Infinity, got ${value}`);
  }
}

export function checkWeight(value: number): void {
  if (!Number.isFinite(value) || value < 0) {
    throw new RangeError(`Expected weight to be a finite number of at least 0, got ${value}`);
  }
}

export function checkWhole(name: string, value: number, min: number): void {
  if (Number.isInteger(value) && value >= min) return;
  throw new RangeError(`Expected ${name} to be an integer of at least ${min}, got ${value}`);
}

export function checkPercent(name: string, value: number): void {
  if (!(value >= 0 && value <= 100)) throw new RangeError(`Expected ${name} to be between 0 and 100, got ${value}`);
}

export function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') {
    throw new TypeError(`Expected ${name} to be a function, got ${typeof value}`);
  }
}

export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') throw new TypeError(`Expected ${name} to be a boolean, got ${typeof value}`);
}

/**
 * A misspelt name would be missed only when it is needed. `what` says what has no such name: "option 'x' of a pool".
 * @throws TypeError that names the nearest of the known names.
 */
export function checkNames(kind: string, what: string, given: object, known: readonly string[]): void {
  // This runs for every open: no array of names.
  for (const name in given) {
    if (known.includes(name) || !Object.hasOwn(given, name)) continue;
    throw new TypeError(`Unknown ${kind} '${name}' of ${what}; the nearest is '${nearest(name, known)}'`);
  }
}

export function checkOptions(what: string, given: object, known: readonly string[]): void {
  checkObject(`the options of ${what}`, given);
  checkNames('option', what, given, known);
}

/** By the fewest letters that must be changed; a name of which only letters were left out is nearer than that. */
function nearest(name: string, known: readonly string[]): string {
  let best = '';
  let fewest = Infinity;
  for (const one of known) {
    const [a, b] = [name.toLowerCase(), one.toLowerCase()];
    const edits = isWithin(a, b) || isWithin(b, a) ? Math.abs(a.length - b.length) / 4 : editsBetween(a, b);
    if (edits < fewest) [best, fewest] = [one, edits];
  }
  return best;
}

/** The letters of `a` are in `b`, in this order. */
function isWithin(a: string, b: string): boolean {
  let found = 0;
  for (const letter of b) if (letter === a[found]) found += 1;
  return found === a.length;
}

/** Levenshtein's distance. */
function editsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

export function checkString(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') {
    throw new TypeError(`Expected ${name} to be a string, got ${typeof value}`);
  }
}

export function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null) {
    throw new TypeError(`Expected ${name} to be an object, got ${String(value)}`);
  }
}

export function checkMetadata(name: string, value: unknown): void {
  if (value === undefined) return;
  checkObject(name, value);
  for (const [key, item] of Object.entries(value)) checkString(`${name}.${key}`, item ?? null);
}

export function checkTags(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw new TypeError(`Expected ${name} to be an array of strings, got ${typeof value}`);
  for (const tag of value as readonly unknown[]) {
    if (typeof tag !== 'string' || tag === '') {
      throw new TypeError(`Expected ${name} to have strings that are not empty, got ${tag === '' ? "''" : typeof tag}`);
    }
  }
}

export function checkMethods(name: string, value: unknown, methods: readonly string[]): void {
  const object = value as Readonly<Record<string, unknown>> | null | undefined;
  if (methods.every((method) => typeof object?.[method] === 'function')) return;
  throw new TypeError(`Expected ${name} to be an object with ${methods.map((method) => `${method}()`).join(', ')}`);
}

export function checkOneOf(name: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value === 'string' && allowed.includes(value)) return;
  throw new TypeError(`Expected ${name} to be one of ${allowed.join(', ')}, got ${String(value)}`);
}

/** Longer delays overflow Node's timers, which then fire at once. */
const MAX_DELAY = 2 ** 31 - 1;

export function checkDelay(name: string, value: number | undefined): void {
  if (value !== undefined && !(value >= 0 && value <= MAX_DELAY)) {
    throw new RangeError(`Expected ${name} to be between 0 and ${MAX_DELAY} ms, got ${value}`);
  }
}
