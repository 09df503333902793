import { EventEmitter } from 'node:events';
import { memoryDirectory, type NodeRecord } from '@zishuo/yamux-fleet';
import { describe, expect, it } from 'vitest';
import { hostDirectory, type WorkerChannel } from '../../src/workers/directory-host.ts';
import { type Channel, parentDirectory } from '../../src/workers/parent-directory.ts';

/** The two ends of a channel between processes, which carries JSON. */
function channel(): { near: Channel; far: WorkerChannel } {
  const [near, far] = [new EventEmitter(), new EventEmitter()];
  const carry = (to: EventEmitter) => (message: unknown) => {
    const text = JSON.stringify(message);
    setImmediate(() => to.emit('message', JSON.parse(text)));
  };
  return { near: Object.assign(near, { send: carry(far) }), far: Object.assign(far, { send: carry(near) }) };
}

const node = (id: string): NodeRecord => ({
  id,
  name: id,
  address: `${id}:1`,
  weight: 1,
  sessions: 0,
  load: 0,
  draining: false,
});

const entry = (id: string, seq: number, sessions = 1): Parameters<ReturnType<typeof memoryDirectory>['publish']>[0] => [
  { name: 'app', node: id, seq, sessions, agents: [{ id: 'agent', weight: 1 }] },
];

describe('a directory that the parent process has', () => {
  it('is the same for all workers', async () => {
    const directory = memoryDirectory();
    const [one, other] = [channel(), channel()];
    hostDirectory(directory, one.far);
    hostDirectory(directory, other.far);
    const [a, b] = [parentDirectory(one.near), parentDirectory(other.near)];
    await a.beat(node('a'), 5_000);
    expect((await b.beat(node('b'), 5_000)).nodes.map(({ id }) => id)).toEqual(['a', 'b']);
    await a.publish(entry('a', 1));
    expect(await b.lookup('app')).toEqual([{ node: 'a', sessions: 1, agents: [{ id: 'agent', weight: 1 }] }]);
    await a.leave('a');
    expect(await b.lookup('app')).toEqual([]);
    await Promise.all([a.close(), b.close()]);
  });

  it('tells a worker once of a change of what it has looked up, and of nothing else', async () => {
    const directory = memoryDirectory();
    const [one, other] = [channel(), channel()];
    hostDirectory(directory, one.far);
    hostDirectory(directory, other.far);
    const [a, b] = [parentDirectory(one.near), parentDirectory(other.near)];
    const heard: string[] = [];
    for (const [name, worker] of [
      ['a', a],
      ['b', b],
    ] as const) {
      worker.watch({ changed: (what) => heard.push(`${name} ${what}`), unsure() {}, up() {}, down() {} });
    }
    await a.beat(node('a'), 5_000);
    await a.publish(entry('a', 1));
    await b.lookup('app');
    await a.publish(entry('a', 2, 2));
    await a.publish(entry('a', 3, 3));
    expect(heard).toEqual(['b app']);
    await Promise.all([a.close(), b.close()]);
  });

  it('ends the lease of a worker that is dead', async () => {
    const directory = memoryDirectory();
    const { near, far } = channel();
    const forget = hostDirectory(directory, far);
    await parentDirectory(near).beat(node('a'), 5_000);
    forget();
    expect((await directory.beat(node('b'), 5_000)).nodes.map(({ id }) => id)).toEqual(['b']);
  });

  it('rejects what the parent could not do, and what was asked when it is closed', async () => {
    const { near, far } = channel();
    const failing = { ...memoryDirectory(), lookup: () => Promise.reject(new Error('no')), watch: () => () => {} };
    hostDirectory(failing, far);
    const directory = parentDirectory(near);
    await expect(directory.lookup('app')).rejects.toThrow('no');
    const asked = directory.beat(node('a'), 5_000);
    await directory.close();
    await expect(asked).rejects.toThrow('closed');
  });
});
