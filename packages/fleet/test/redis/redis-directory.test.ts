// The directory on a real engine: what every directory does, and what the engine and the connections to it may do.
import { createClient } from '@redis/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DirectoryListener, Entry, SessionDirectory } from '../../src/directory/directory.ts';
import { redisDirectory } from '../../src/redis.ts';
import { type DirectoryWorld, directoryContract } from '../directory/contract.ts';
import { Engine, hasEngine } from '../support/engine.ts';
import { nodeRecord } from '../support/records.ts';
import { Wire } from '../support/wire.ts';

const LEASE = 60_000;
const UNANSWERED = expect.objectContaining({ code: 'ERR_YAMUX_FLEET_DIRECTORY' });
const CLOSED = expect.objectContaining({ message: 'The engine did not answer: The directory is closed' });

function entry(name: string, seq: number, node = 'a'): Entry {
  return { node, name, seq, sessions: 1, agents: [] };
}

describe.skipIf(!hasEngine())('redisDirectory()', () => {
  let engine: Engine;
  let opened: SessionDirectory[];

  beforeAll(async () => {
    engine = new Engine();
    await engine.start();
  });
  afterAll(() => engine.close());

  beforeEach(() => {
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((directory) => directory.close()));
    await engine.command('FLUSHALL');
  });

  function connect(): SessionDirectory {
    const directory = redisDirectory({ client: createClient({ socket: { path: engine.path, tls: false } }) });
    opened.push(directory);
    return directory;
  }

  /** Resolves with the first hint of that kind. */
  function heard(directory: SessionDirectory, what: keyof DirectoryListener): Promise<unknown> {
    return new Promise((resolve) => {
      const listener = { changed: () => {}, unsure: () => {}, up: () => {}, down: () => {} };
      directory.watch({ ...listener, [what]: resolve });
    });
  }

  directoryContract(
    (): DirectoryWorld => ({
      connect: async () => connect(),
      outlive: (ms) => new Promise((resolve) => setTimeout(resolve, ms + 20)),
      clear: async () => void (await engine.command('FLUSHALL')),
    }),
  );

  it('serves several fleets on one engine, by their prefixes', async () => {
    const client = createClient({ socket: { path: engine.path, tls: false } });
    const other = redisDirectory({ client, prefix: 'other:' });
    opened.push(other);
    const one = connect();
    await one.beat(nodeRecord('a'), LEASE);
    await one.publish([entry('x', 1)]);
    expect((await other.beat(nodeRecord('b'), LEASE)).nodes.map(({ id }) => id)).toEqual(['b']);
    expect(await other.lookup('x')).toEqual([]);
    expect(await one.lookup('x')).toHaveLength(1);
  });

  it('leaves nothing of strange names in the engine', async () => {
    const one = connect();
    await one.beat(nodeRecord('a'), LEASE);
    const keys = async (): Promise<string[]> => [
      await engine.command('DBSIZE'),
      /tracking_total_keys:(\d+)/.exec(await engine.command('INFO', 'stats'))?.[1] ?? '',
    ];
    const before = await keys();
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => one.lookup(`strange ${n}`)));
    expect(await keys()).toEqual(before);
  });

  it('says that it is unsure when the engine forgets', async () => {
    const one = connect();
    await one.beat(nodeRecord('a'), LEASE);
    await one.publish([entry('x', 1)]);
    await one.lookup('x');
    const unsure = heard(one, 'unsure');
    await engine.command('FLUSHALL');
    await unsure;
  });

  it('sweeps what gone nodes have told from a name that is told again, and forgets names that nobody tells', async () => {
    const one = connect();
    for (const id of ['a', 'b']) {
      await one.beat(nodeRecord(id), LEASE);
      await one.publish([entry('x', 1, id)]);
    }
    await one.leave('b');
    await one.publish([entry('x', 2)]);
    expect((await one.lookup('x')).map(({ node }) => node)).toEqual(['a']);
    expect(Number(await engine.command('PTTL', 'yamux:@x'))).toBeGreaterThan(3_600_000);
  });

  it('tells what others may have written for what it is: nothing', async () => {
    const one = connect();
    await one.beat(nodeRecord('a'), LEASE);
    await engine.command('HSET', 'yamux:nodes', 'a', '{"id":7}');
    await engine.command(
      'HSET',
      'yamux:@x',
      'a',
      'no JSON',
      'b',
      '[1,2]',
      'c',
      '[1,"d",-1]',
      'g',
      '["h"]',
      'e',
      '[1,"f",2]',
    );
    expect(await one.lookup('x')).toEqual([{ node: 'e', sessions: 1, agents: [{ id: 'f', weight: 2 }] }]);
    expect((await connect().beat(nodeRecord('b'), LEASE)).nodes.map(({ id }) => id)).toEqual(['b']);
  });

  it('rejects in time while the engine stands still, says so, and answers again behind it', async () => {
    const one = connect();
    await one.beat(nodeRecord('a'), LEASE);
    const down = heard(one, 'down');
    engine.stop();
    try {
      await expect(one.beat(nodeRecord('a'), LEASE)).rejects.toEqual(UNANSWERED);
      expect(await down).toEqual(UNANSWERED);
      await expect(one.lookup('x')).rejects.toEqual(UNANSWERED);
    } finally {
      engine.resume();
    }
    await heard(one, 'up');
    expect((await one.beat(nodeRecord('a'), LEASE)).seq).toBe(0);
  });

  it('is told at once that the engine is gone, and connects again when another is there', async () => {
    const one = connect();
    await one.beat(nodeRecord('a'), LEASE);
    await one.publish([entry('x', 1)]);
    const [down, up, unsure] = [heard(one, 'down'), heard(one, 'up'), heard(one, 'unsure')];
    await engine.kill();
    expect(await down).toEqual(UNANSWERED);
    await engine.start();
    await Promise.all([up, unsure]);
    expect((await one.beat(nodeRecord('a'), LEASE)).seq).toBeUndefined();
    expect(await one.lookup('x')).toEqual([]);
  });

  it('finds out that connections have been lost without a word, also the one on which nothing is asked', async () => {
    const wire = new Wire(() => ({ path: engine.path }));
    const one = redisDirectory({ url: `redis://127.0.0.1:${await wire.port()}` });
    try {
      await one.beat(nodeRecord('a'), LEASE);
      await one.publish([entry('x', 1)]);
      await one.lookup('x');
      const both = Promise.all([heard(one, 'unsure'), heard(one, 'up')]);
      wire.hold();
      await expect(one.beat(nodeRecord('a'), LEASE)).rejects.toEqual(UNANSWERED);
      await both;
      expect((await one.beat(nodeRecord('a'), LEASE)).seq).toBe(1);
    } finally {
      await one.close();
      await wire.close();
    }
  });

  it('asks on the connection on which nothing else is asked with every fifth beat', async () => {
    const one = connect();
    await engine.command('CONFIG', 'RESETSTAT');
    for (let beats = 0; beats < 11; beats += 1) {
      await one.beat(nodeRecord('a'), LEASE);
      await one.publish([entry('x', beats + 1)]);
      // A name that is there is read on that connection: what was asked there before has been answered.
      await one.lookup('x');
    }
    expect(await engine.command('INFO', 'commandstats')).toContain('cmdstat_ping:calls=3,');
  });

  it('rejects what waits for an engine that there is not, also when it is closed meanwhile', async () => {
    const one = redisDirectory({ client: createClient({ socket: { path: `${engine.path}-none`, tls: false } }) });
    const both = Promise.allSettled([one.lookup('x'), one.leave('a')]);
    await one.close();
    expect(await both).toEqual([
      { status: 'rejected', reason: CLOSED },
      { status: 'rejected', reason: CLOSED },
    ]);
  });
});

describe('the options of redisDirectory()', () => {
  it.each([
    [{}, 'Expected redisDirectory() to have either a url or a client'],
    [
      { url: 'redis://x', client: { duplicate: () => 1 } },
      'Expected redisDirectory() to have either a url or a client',
    ],
    [{ client: {} }, 'Expected client to be an object with duplicate()'],
    [{ url: '' }, "Expected url to be a string that is not empty, got ''"],
    [{ url: 'redis://x', prefix: '' }, "Expected prefix to be a string that is not empty, got ''"],
    [{ uri: 'redis://x' }, "Unknown option 'uri' of redisDirectory(); did you mean 'url'?"],
  ])('%j are refused', (options, message) => {
    expect(() => redisDirectory(options as never)).toThrow(new TypeError(message));
  });
});
