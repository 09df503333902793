import { describe, expect, it } from 'vitest';
import { constraintsOf, describeConstraints, matches } from '../src/routing.ts';

const session = {
  key: 'k',
  id: 'node',
  tags: new Set(['a.example', 'b.example']),
  metadata: Object.freeze({ zone: 'eu', tier: 'a' }),
};

describe('routing', () => {
  it.each([
    [undefined],
    [{}],
    [{ sessionKey: '', sessionId: '', requiredMetadata: {} }],
    [{ sessionKey: 'k' }],
    [{ sessionId: 'node' }],
    [{ requiredMetadata: { zone: 'eu' } }],
    [{ requiredTags: [] }],
    [{ requiredTags: ['b.example', 'a.example'] }],
    [{ sessionKey: 'k', sessionId: 'node', requiredMetadata: { zone: 'eu', tier: 'a' } }],
  ])('is satisfied by a session that has at least what %o asks for', (routing) => {
    expect(matches(session, constraintsOf(routing))).toBe(true);
  });

  it.each([
    [{ sessionKey: 'other' }],
    [{ sessionId: 'other' }],
    [{ sessionKey: 'k', sessionId: 'other' }],
    [{ sessionKey: 'k', requiredMetadata: { zone: 'us' } }],
    [{ requiredMetadata: { zone: 'eu', tier: 'b' } }],
    [{ requiredTags: ['a.example', 'c.example'] }],
    [{ requiredMetadata: { region: 'eu' } }],
    [{ requiredMetadata: { ['__proto__']: 'eu' } }],
  ])('is not satisfied when one of %o does not hold', (routing) => {
    expect(matches(session, constraintsOf(routing))).toBe(false);
  });

  it('takes only own metadata, whatever the prototype says', () => {
    const bare = { ...session, metadata: {} };
    Object.defineProperty(Object.prototype, 'zone', { value: 'eu', configurable: true });
    try {
      expect(matches(bare, constraintsOf({ requiredMetadata: { zone: 'eu' } }))).toBe(false);
      expect(matches({ ...bare, metadata: { zone: 'eu' } }, constraintsOf({ requiredMetadata: { zone: 'eu' } }))).toBe(
        true,
      );
    } finally {
      Reflect.deleteProperty(Object.prototype, 'zone');
    }
  });

  it.each([
    [{ sessionKey: 7 }, 'Expected routing.sessionKey to be a string, got number'],
    [{ requiredMetadata: { zone: 7 } }, 'Expected routing.requiredMetadata.zone to be a string, got number'],
    [{ requiredMetadata: { zone: undefined } }, 'Expected routing.requiredMetadata.zone to be a string, got object'],
    [{ requiredMetadata: 'zone' }, 'Expected routing.requiredMetadata to be an object, got zone'],
    [null, 'Expected routing to be an object, got null'],
  ])('refuses %o', (routing, message) => {
    expect(() => constraintsOf(routing as never)).toThrow(new TypeError(message));
  });

  it('describes itself for errors', () => {
    expect(describeConstraints(constraintsOf({ sessionKey: 'a', requiredMetadata: { zone: 'eu' } }))).toBe(
      'key "a", metadata zone="eu"',
    );
  });
});
