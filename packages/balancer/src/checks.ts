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

/** `rest` is what was given besides the options that there are: a misspelt one would be missed only when it is needed. */
export function checkNoMore(what: string, rest: object): void {
  const [name] = Object.keys(rest);
  if (name !== undefined) throw new TypeError(`Unknown option '${name}' of ${what}`);
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
