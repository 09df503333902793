import { describe, expect, test } from 'vitest';
import { checkOptions } from '../src/checks.ts';

describe('an option that does not exist', () => {
  const known = ['name', 'maxCachedNames'];

  test('is refused with the one that was probably meant', () => {
    expect(() => checkOptions('a fleet', { maxCacheNames: 1 }, known)).toThrow(
      new TypeError("Unknown option 'maxCacheNames' of a fleet; did you mean 'maxCachedNames'?"),
    );
  });

  test('is refused with all that there are, where none is like it', () => {
    expect(() => checkOptions('a fleet', { zzzzzz: 1 }, known)).toThrow(
      new TypeError("Unknown option 'zzzzzz' of a fleet; expected one of name, maxCachedNames"),
    );
  });
});
