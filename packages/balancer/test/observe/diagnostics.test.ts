import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, expect, it } from 'vitest';
import { affinity } from '../../src/choosing/strategies/affinity.ts';
import { CHANNELS, type PoolMessages } from '../../src/observe/diagnostics.ts';
import { SessionPool } from '../../src/pool.ts';
import { FakeSession, ManualClock, queueDrained } from '../../src/testing.ts';
import { Recorder, type Told } from '../support/recorder.ts';

type Channel = keyof PoolMessages;
type Message = PoolMessages[Channel];

const subscriptions: (() => void)[] = [];

afterEach(() => {
  for (const end of subscriptions.splice(0)) end();
});

function listen<Name extends Channel>(name: Name, heard: (message: PoolMessages[Name]) => void): void {
  const listener = (message: unknown): void => heard(message as PoolMessages[Name]);
  subscribe(name, listener);
  subscriptions.push(() => unsubscribe(name, listener));
}

const channelOf = (name: Told[0]): Channel | undefined => CHANNELS[name]?.name as Channel | undefined;

/** Everything that a pool tells but for the end of streams, at least once. */
async function story(recorder: Recorder): Promise<SessionPool> {
  const clock = new ManualClock();
  const pool = new SessionPool({
    clock,
    hooks: recorder.hooks,
    strategy: affinity({ ttl: 50 }),
    healthFailureThreshold: 1,
    failureClassifier: () => 'nonsense' as never,
  });
  const [bad, good] = [new FakeSession().refuses(new Error('refused')), new FakeSession().answers()];
  pool.add(bad, { key: 'bad' });
  pool.add(good, { key: 'good' });
  await pool.open({ affinityKey: 'x' });
  await expect(pool.open({ sessionKey: 'none' })).rejects.toThrow('No session of the pool');
  const caller = new AbortController();
  const waiting = pool.open({ sessionId: 'none' }, { wait: true, signal: caller.signal });
  caller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  clock.advance(50);
  await pool.open({ affinityKey: 'y' });
  pool.drainSession('bad', 'why');
  pool.removeSession('bad');
  return pool;
}

it('the channels tell what the hooks are told, in the same order, each with its pool', async () => {
  const recorder = new Recorder();
  const heard: [Channel, Message][] = [];
  const channels = new Set(Object.values(CHANNELS).flatMap((channel) => (channel ? [channel.name as Channel] : [])));
  for (const name of channels) listen(name, (message: Message) => heard.push([name, message]));
  const pool = await story(recorder);
  expect(new Set(heard.map(([name]) => name))).toEqual(channels);
  const told = recorder.told.map(([name, event]): [Channel | undefined, object] => [channelOf(name), event]);
  expect(heard).toEqual(told.map(([name, event]) => [name, { ...event, pool }]));
  expect(heard.every(([, message]) => message.pool === pool)).toBe(true);
});

it('the channel of opens has those that succeeded and those that failed, told apart by the error', async () => {
  const seen: string[] = [];
  listen('yamux:pool:open', (message) => {
    if ('error' in message) seen.push(`${message.attempt} tried, ${String(message.error)}`);
    else seen.push(`${message.sessionKey} after ${message.attempt}`);
  });
  await story(new Recorder());
  const none = 'NoMatchingSessionError: No session of the pool has key "none"';
  expect(seen).toEqual(['good after 2', `0 tried, ${none}`, '0 tried, Error: enough', 'good after 1']);
});

it('a pool without hooks is heard all the same, and a subscriber that left hears no more', () => {
  const keys: string[] = [];
  const listener = (message: unknown): void => {
    keys.push((message as PoolMessages['yamux:pool:session:add']).snapshot.key);
  };
  subscribe('yamux:pool:session:add', listener);
  const pool = new SessionPool();
  pool.add(new FakeSession(), { key: 'a' });
  unsubscribe('yamux:pool:session:add', listener);
  pool.add(new FakeSession(), { key: 'b' });
  expect(keys).toEqual(['a']);
});

it('nothing is made for events of which nobody hears, and no listener is on the streams', async () => {
  const pool = new SessionPool({ openAttempts: 1 });
  const session = new FakeSession().answers();
  let snapshots = 0;
  Object.defineProperty(session, 'rtt', {
    get: () => {
      snapshots += 1;
      return 1;
    },
  });
  const ref = pool.add(session);
  const stream = await pool.open();
  expect(stream.listenerCount('close')).toBe(1);
  stream.destroy();
  await queueDrained();
  ref.drain();
  ref.resume();
  ref.remove();
  expect(snapshots).toBe(0);
  ref.snapshot();
  expect(snapshots).toBe(1);
});
