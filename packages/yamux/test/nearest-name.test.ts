import { describe, expect, test } from 'vitest';
import { nearestName } from '../src/index.ts';

const KNOWN = ['handshakeTimeout', 'headers', 'maskPayload', 'urls'];

describe('the name that was meant', () => {
  test.each([
    ['HEADERS', 'headers'],
    ['hedaers', 'headers'],
    ['header', 'headers'],
    ['timeout', 'handshakeTimeout'],
    ['mask', 'maskPayload'],
    ['url', 'urls'],
  ])('by %s is %s', (name, meant) => {
    expect(nearestName(name, KNOWN)).toBe(meant);
  });

  test.each(['', 'signal', 'x'])('by %o is none', (name) => {
    expect(nearestName(name, ['base', 'cap'])).toBeUndefined();
  });

  test('is the nearest of several, not the first that is near', () => {
    expect(nearestName('wirteTimeout', ['idleTimeout', 'writeTimeout'])).toBe('writeTimeout');
  });
});
