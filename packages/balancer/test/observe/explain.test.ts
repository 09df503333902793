import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { affinity, SessionPool } from '../../src/index.ts';
import { FakeSession, ManualClock, PingableSession, queueDrained } from '../../src/testing.ts';
import { errorOf, healthWorld, INTERVAL } from '../support/health-world.ts';
import { poolWith } from '../support/pool-with.ts';

const details = (pool: SessionPool, routing?: object): string[] =>
  pool.explain(routing).map(({ key, verdict, detail }) => `${key}: ${verdict}: ${detail}`);

describe('explain()', () => {
  it('tells what an open asks for and a session is not', () => {
    const pool = poolWith(
      {},
      [new FakeSession(), { key: 'a', id: 'north', metadata: { zone: 'eu' } }],
      [new FakeSession(), { key: 'b', id: 'south' }],
      [new FakeSession(), { key: 'c', id: 'south', metadata: { zone: 'us' }, label: 'edge' }],
    );
    expect(details(pool, { sessionKey: 'a' })).toEqual([
      'a: eligible: It may be picked: 0 streams',
      "b: filtered: Its key is 'b', asked for is 'a'",
      "c: filtered: Its key is 'c', asked for is 'a'",
    ]);
    expect(details(pool, { sessionId: 'south', requiredMetadata: { zone: 'us' } })).toEqual([
      "a: filtered: Its id is 'north', asked for is 'south'",
      "b: filtered: It has no metadata 'zone', asked for is 'us'",
      'c: eligible: It may be picked: 0 streams',
    ]);
    expect(details(pool, { requiredMetadata: { zone: 'asia' } })[2]).toBe(
      "c: filtered: Its metadata 'zone' is 'us', asked for is 'asia'",
    );
    expect(pool.explain()[2]).toMatchObject({ key: 'c', id: 'south', label: 'edge' });
  });

  it('tells why a session takes no stream', async () => {
    const clock = new ManualClock();
    const [full, refusing, draining, gone] = [0, 1, 2, 3].map(() => new FakeSession().answers());
    const pool = poolWith({ clock, openAttempts: 1 });
    pool.add(full as FakeSession, { key: 'full', maxActiveStreams: 1 });
    pool.add(refusing as FakeSession, { key: 'refusing', maxActiveStreams: 8 });
    pool.add(draining as FakeSession, { key: 'draining' });
    pool.add(gone as FakeSession, { key: 'gone' });
    await pool.open({ sessionKey: 'full' });
    await pool.open({ sessionKey: 'draining' });
    refusing?.refuses(errorOf({ refused: true }));
    await expect(pool.open({ sessionKey: 'refusing' })).rejects.toThrow();
    pool.drainSession('draining', 'rolling update');
    clock.advance(900);
    if (gone) gone.state = 'closed';
    expect(details(pool)).toEqual([
      'full: full: It is at its cap: 1 of 1 streams',
      'refusing: full: Its peer has just refused a stream',
      'draining: draining: It is draining for 1 s now (rolling update); 1 stream left',
      'gone: closed: It has ended',
    ]);
  });

  it('tells what an unhealthy session waits for', async () => {
    const { pool, clock, add, fail, next } = healthWorld();
    const { session } = add('a', new PingableSession());
    add('b', new FakeSession().answers());
    await fail('a', 3);
    const detail = (): string | undefined => details(pool)[0];
    expect(detail()).toBe('a: unhealthy: 3 failures in a row (broken); it rests for 30 s more');
    clock.advance(INTERVAL);
    expect(detail()).toBe('a: unhealthy: 3 failures in a row (broken); the next open that may go to it probes it');
    expect(await next()).toBe('b');
    expect(session.pings).toHaveLength(1);
    expect(detail()).toBe('a: unhealthy: 3 failures in a row (broken); a probe is under way');
  });

  it('tells the session to which the key is bound, though it cannot be picked', async () => {
    const pool = poolWith(
      { strategy: affinity() },
      [new FakeSession().answers(), { key: 'a' }],
      [new FakeSession().answers(), { key: 'b' }],
    );
    const bound = (affinityKey: string): string[] =>
      pool.explain({ affinityKey }).flatMap((one) => (one.bound ? [one.key] : []));
    await pool.open({ affinityKey: 'x' });
    expect(bound('x')).toEqual(['a']);
    pool.drainSession('a');
    expect(bound('x')).toEqual(['a']);
    expect(bound('y')).toEqual([]);
  });

  it('of an empty pool is empty, and of a wrong routing an error', () => {
    const pool = new SessionPool();
    expect(pool.explain()).toEqual([]);
    expect(() => pool.explain({ sessionKey: 7 } as never)).toThrow('Expected routing.sessionKey to be a string');
  });

  // undici #4839: a look at the next one moved the cursor.
  it('takes no turn, however often it is asked', async () => {
    const pool = poolWith({}, [new FakeSession().answers(), { key: 'a' }], [new FakeSession().answers(), { key: 'b' }]);
    const keys: string[] = [];
    for (let open = 0; open < 4; open += 1) {
      for (let look = 0; look <= open; look += 1) pool.explain();
      keys.push((await pool.openStream()).session.key);
    }
    expect(keys.join('')).toBe('abab');
  });
});

describe('stats()', () => {
  it('without the sessions is the same but for them', async () => {
    const pool = poolWith({ strategy: affinity() }, [new FakeSession().answers(), { key: 'a' }]);
    await pool.open({ affinityKey: 'x' });
    pool.drainSession('a');
    const { sessions, ...totals } = pool.stats();
    expect(sessions).toHaveLength(1);
    expect(pool.stats({ sessions: false })).toStrictEqual(totals);
    expect(pool.stats({ sessions: true })).toEqual({ ...totals, sessions });
  });
});

describe('util.inspect()', () => {
  it('shows the figures of a pool and of a session, and nothing of their insides', async () => {
    const pool = poolWith({}, [new FakeSession().answers(), { key: 'a', label: 'edge' }]);
    await pool.open();
    await queueDrained();
    expect(inspect(pool)).toMatch(/^SessionPool \{\n {2}sessionsTotal: 1,[\s\S]*activeStreams: 1,/);
    expect(inspect(pool.sessions()[0])).toBe(
      [
        'SessionRef {',
        "  key: 'a',",
        "  id: 'a',",
        "  label: 'edge',",
        '  activeStreams: 1,',
        '  pendingStreams: 0,',
        '  available: true,',
        '  healthy: true,',
        '  draining: false,',
        '  removed: false',
        '}',
      ].join('\n'),
    );
  });
});
