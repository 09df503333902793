import { describe, expect, it } from 'vitest';
import { Holdings, MAX_LISTED_AGENTS } from '../../src/names/holdings.ts';

function holdings(): { held: Holdings; changed: string[] } {
  const changed: string[] = [];
  return { held: new Holdings('me', (name) => changed.push(name)), changed };
}

describe('Holdings', () => {
  it('counts the sessions of a name, and lists each agent once', () => {
    const { held } = holdings();
    held.set('s1', { id: 'a', weight: 2 }, ['x']);
    held.set('s2', { id: 'a', weight: 2 }, ['x', 'y']);
    held.set('s3', { id: 'b', weight: 1 }, ['x']);
    expect(held.placement('x')).toMatchObject({
      node: 'me',
      sessions: 3,
      agents: [
        { id: 'a', weight: 2 },
        { id: 'b', weight: 1 },
      ],
    });
    expect(held.placement('y')).toMatchObject({ sessions: 1 });
  });

  it('keeps an agent until its last session is gone, and a name until its last agent is', () => {
    const { held } = holdings();
    held.set('s1', { id: 'a', weight: 1 }, ['x']);
    held.set('s2', { id: 'a', weight: 1 }, ['x']);
    held.delete('s1');
    expect(held.placement('x')).toMatchObject({ sessions: 1, agents: [{ id: 'a' }] });
    held.delete('s2');
    expect(held.placement('x')).toBeUndefined();
    expect(held.size).toBe(0);
    held.delete('s2');
    expect(held.size).toBe(0);
  });

  it('tells the names that have changed, and none where a session says the same again', () => {
    const { held, changed } = holdings();
    held.set('s1', { id: 'a', weight: 1 }, ['x', 'x']);
    expect(changed.splice(0)).toEqual(['x']);
    held.set('s1', { id: 'a', weight: 1 }, ['x']);
    expect(changed).toEqual([]);
    held.set('s1', { id: 'a', weight: 1 }, ['y']);
    expect(changed.splice(0)).toEqual(['x', 'y']);
    held.delete('s1');
    expect(changed).toEqual(['y']);
  });

  it('lists no agents where they are too many', () => {
    const { held } = holdings();
    for (let n = 0; n < MAX_LISTED_AGENTS; n += 1) held.set(`s${n}`, { id: `a${n}`, weight: 1 }, ['x']);
    expect(held.placement('x')?.agents).toHaveLength(MAX_LISTED_AGENTS);
    held.set('one more', { id: 'one more', weight: 1 }, ['x']);
    expect(held.placement('x')).toMatchObject({ sessions: MAX_LISTED_AGENTS + 1, agents: [] });
  });
});
