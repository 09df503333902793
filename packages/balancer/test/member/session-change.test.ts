import { describe, expect, it } from 'vitest';
import {
  deleteSessionMetadataKeys,
  mergeSessionMetadata,
  replaceSessionMetadata,
  replaceSessionTags,
  type SessionChange,
  SessionPool,
  type SessionRef,
  type SessionUpdate,
  type Strategy,
  weighted,
  withMaxActiveStreams,
  withSessionLabel,
  withSessionWeight,
} from '../../src/index.ts';
import { FakeSession } from '../../src/testing.ts';
import { opened, poolWith } from '../support/pool-with.ts';

const FACTS = { label: 'edge', weight: 3, maxActiveStreams: 8, tags: ['a.example'], metadata: { zone: 'eu' } };

function pooled(): { pool: SessionPool; ref: SessionRef } {
  const pool = new SessionPool();
  return { pool, ref: pool.add(new FakeSession().answers(), { key: 'a', ...FACTS }) };
}

describe('updateSession() and ref.update()', () => {
  it.each<[string, SessionChange | SessionUpdate, object]>([
    ['withSessionLabel', withSessionLabel('canary'), { label: 'canary' }],
    ['withSessionLabel without one', withSessionLabel(undefined), { label: undefined }],
    ['withSessionWeight', withSessionWeight(0), { weight: 0 }],
    ['withMaxActiveStreams', withMaxActiveStreams(1), { maxActiveStreams: 1 }],
    ['withMaxActiveStreams of none', withMaxActiveStreams(Infinity), { maxActiveStreams: Infinity }],
    ['replaceSessionMetadata', replaceSessionMetadata({ version: 'v2' }), { metadata: { version: 'v2' } }],
    ['mergeSessionMetadata', mergeSessionMetadata({ canary: 'true' }), { metadata: { zone: 'eu', canary: 'true' } }],
    ['mergeSessionMetadata over a pair', mergeSessionMetadata({ zone: 'us' }), { metadata: { zone: 'us' } }],
    ['deleteSessionMetadataKeys', deleteSessionMetadataKeys('zone', 'other'), { metadata: {} }],
    ['replaceSessionTags', replaceSessionTags(['b.example', 'b.example']), { tags: ['b.example'] }],
    ['{ label }', { label: 'canary' }, { label: 'canary' }],
    ['{ label } of none', { label: undefined }, { label: undefined }],
    ['{ weight }', { weight: 5 }, { weight: 5 }],
    ['{ maxActiveStreams }', { maxActiveStreams: 2 }, { maxActiveStreams: 2 }],
    ['{ tags }', { tags: ['a.example', 'c.example'] }, { tags: ['a.example', 'c.example'] }],
    ['{ mergeMetadata }', { mergeMetadata: { canary: 'true' } }, { metadata: { zone: 'eu', canary: 'true' } }],
    ['{ deleteMetadataKeys }', { deleteMetadataKeys: ['zone'] }, { metadata: {} }],
    [
      '{ replaceMetadata }',
      { replaceMetadata: { v: '2' }, mergeMetadata: { w: '3' } },
      { metadata: { v: '2', w: '3' } },
    ],
  ])('%s changes that fact and no other, and the snapshot that comes back shows it', (_name, change, expected) => {
    const { pool, ref } = pooled();
    const before = ref.snapshot();
    expect(pool.updateSession('a', change)).toEqual({ ...before, ...expected });
    expect(ref.snapshot()).toEqual({ ...before, ...expected });
  });

  it('makes several changes in their order', () => {
    const { ref } = pooled();
    const changes = [replaceSessionMetadata({ a: '1', b: '2' }), deleteSessionMetadataKeys('a'), withSessionWeight(5)];
    expect(ref.update(...changes)).toMatchObject({ metadata: { b: '2' }, weight: 5, label: 'edge' });
  });

  it.each<[string, () => SessionChange | SessionUpdate, string]>([
    ['a weight below 0', () => withSessionWeight(-1), 'Expected weight to be a finite number of at least 0, got -1'],
    ['a weight that is no number', () => withSessionWeight(Number.NaN), 'Expected weight'],
    ['a cap of 0', () => withMaxActiveStreams(0), 'Expected maxActiveStreams to be an integer of at least 1'],
    ['a label that is no string', () => withSessionLabel(7 as never), 'Expected label to be a string, got number'],
    ['metadata that is none', () => replaceSessionMetadata('x' as never), 'Expected metadata to be an object'],
    ['a value that is no string', () => mergeSessionMetadata({ a: 1 } as never), 'Expected metadata.a to be a string'],
    ['an array of keys', () => deleteSessionMetadataKeys(['a'] as never), 'Expected a metadata key to be a string'],
    ['a tag that is empty', () => ({ tags: [''] }), "Expected tags to have strings that are not empty, got ''"],
    [
      'a name that there is not',
      () => ({ wieght: 5 }) as never,
      "Unknown name 'wieght' of a change; the nearest is 'weight'",
    ],
    ['undefined', () => undefined as never, 'Expected a change to be an object, got undefined'],
  ])('refuses %s, and then none of the changes holds', (_what, change, message) => {
    const { ref } = pooled();
    const before = ref.snapshot();
    expect(() => ref.update(withSessionLabel('new'), change())).toThrow(message);
    expect(ref.snapshot()).toEqual(before);
  });

  it('keeps metadata as it was given, whatever the giver makes of the object later', () => {
    const { ref } = pooled();
    const metadata = { zone: 'us' };
    ref.update(replaceSessionMetadata(metadata));
    metadata.zone = 'asia';
    expect(ref.snapshot().metadata).toEqual({ zone: 'us' });
    expect(() => Object.assign(ref.snapshot().metadata, { zone: 'asia' })).toThrow();
  });

  it('tells no such session apart from a wrong change', () => {
    const { pool } = pooled();
    expect(() => pool.updateSession('b', withSessionWeight(1))).toThrow(
      expect.objectContaining({ code: 'ERR_YAMUX_POOL_UNKNOWN_SESSION' }),
    );
  });

  it('holds for the next open: the weight', async () => {
    const pool = poolWith(
      { strategy: weighted() },
      [new FakeSession().answers(), { key: 'a' }],
      [new FakeSession().answers(), { key: 'b' }],
    );
    pool.updateSession('a', withSessionWeight(3));
    expect((await opened(pool, 8)).replaceAll('b', '')).toBe('aaaaaa');
  });

  it('holds for the next open: what it may be asked for', async () => {
    const { pool, ref } = pooled();
    const routing = { requiredMetadata: { zone: 'us' } };
    await expect(pool.open(routing)).rejects.toThrow('No session of the pool has metadata zone="us"');
    ref.update(mergeSessionMetadata({ zone: 'us' }));
    await pool.open(routing);
  });

  it('a lower cap ends no stream, and takes none until they are fewer; a higher one takes more at once', async () => {
    const { pool, ref } = pooled();
    const streams = [await pool.open(), await pool.open()];
    expect(ref.update(withMaxActiveStreams(1))).toMatchObject({ activeStreams: 2, full: true, available: false });
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([false, false]);
    await expect(pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION' });
    ref.update(withMaxActiveStreams(3));
    await pool.open();
    await expect(pool.open()).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION' });
  });

  it('tells the strategy once of all changes together, and of none that came to nothing', () => {
    const told: (string | undefined)[] = [];
    const strategy: Strategy = { name: 'own', pick: () => 0, updated: ({ label }) => told.push(label) };
    const pool = poolWith({ strategy }, [new FakeSession(), { key: 'a' }]);
    pool.updateSession('a', withSessionLabel('one'), withSessionWeight(2));
    expect(() => pool.updateSession('a', withSessionLabel('two'), withSessionWeight(-2))).toThrow(RangeError);
    expect(told).toEqual(['one']);
  });

  it('of a session that has left the pool shows in its snapshot, and nowhere else', () => {
    const updated: string[] = [];
    const strategy: Strategy = { name: 'own', pick: () => 0, updated: ({ key }) => updated.push(key) };
    const pool = new SessionPool({ strategy });
    const ref = pool.add(new FakeSession(), { key: 'a' });
    ref.remove();
    expect(ref.update(withSessionLabel('late'))).toMatchObject({ label: 'late', available: false });
    expect(pool.stats().sessionsTotal).toBe(0);
    expect(updated).toEqual([]);
  });
});
