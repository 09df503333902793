import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SessionPool } from '../../src/pool.ts';
import { FakeSession } from '../../src/testing.ts';
import { runs } from '../support/runs.ts';

const tag = fc.constantFrom('a', 'b', 'c');
const tags = fc.array(tag, { maxLength: 3 });
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), tags, id: fc.constantFrom('x', 'y') }),
  fc.record({ do: fc.constant('retag' as const), nth: fc.nat(20), tags }),
  fc.record({ do: fc.constantFrom('remove' as const, 'drain' as const, 'resume' as const), nth: fc.nat(20) }),
);

describe('sessions by their tags', () => {
  it('are those that have all of them, whatever joined, left, drained or was tagged anew', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), tags, async (steps, asked) => {
        const pool = new SessionPool();
        for (const one of steps) {
          const refs = pool.sessions();
          if (one.do === 'add') {
            pool.add(new FakeSession().answers(), { tags: one.tags, id: one.id });
            continue;
          }
          const ref = refs[one.nth % Math.max(1, refs.length)];
          if (one.do === 'retag') ref?.update({ tags: one.tags });
          else if (one.do === 'remove') ref?.remove();
          else if (one.do === 'drain') ref?.drain();
          else ref?.resume();
        }
        for (const sessionId of [undefined, 'x']) {
          const fitting = pool
            .stats()
            .sessions.filter(
              (session) =>
                !session.draining &&
                asked.every((one) => session.tags.includes(one)) &&
                (sessionId === undefined || session.id === sessionId),
            );
          // As many opens as there are sessions go to each of them once.
          const served: string[] = [];
          for (const _ of fitting) {
            served.push((await pool.openStream({ requiredTags: asked, sessionId })).session.key);
          }
          expect(new Set(served)).toEqual(new Set(fitting.map(({ key }) => key)));
          if (fitting.length === 0) await expect(pool.open({ requiredTags: asked, sessionId })).rejects.toThrow();
        }
      }),
      runs(100),
    );
  });

  it('are named in the error, and in the reasons of explain()', async () => {
    const pool = new SessionPool();
    pool.add(new FakeSession(), { key: 'k', tags: ['a.example'] });
    await expect(pool.open({ requiredTags: ['b.example'] })).rejects.toThrow(
      'No session of the pool has tag "b.example"',
    );
    expect(pool.explain({ requiredTags: ['b.example'] })).toMatchObject([
      { verdict: 'filtered', detail: "It has no tag 'b.example'" },
    ]);
    expect(() => pool.explain({ requiredTags: 'b.example' as never })).toThrow(
      'Expected routing.requiredTags to be an array of strings, got string',
    );
  });

  it('are looked at alone: a pick among them does not ask the others', async () => {
    const pool = new SessionPool();
    let looks = 0;
    for (let other = 0; other < 50; other += 1) {
      const session = new FakeSession();
      Object.defineProperty(session, 'state', {
        get: () => {
          looks += 1;
          return 'open';
        },
      });
      pool.add(session, { tags: [`other-${other}`] });
    }
    pool.add(new FakeSession().answers(), { tags: ['a.example'] });
    looks = 0;
    await pool.open({ requiredTags: ['a.example'] });
    expect(looks).toBe(0);
  });
});
