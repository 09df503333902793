import { once } from 'node:events';
import { NoAvailableSessionError, NoMatchingSessionError, SessionPool } from '@zishuo/yamux-balancer';
import { FakeSession } from '@zishuo/yamux-balancer/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SESSION_LOST } from '../src/index.ts';
import { exchange, type TestNode, World } from './support/world.ts';

let world: World;

beforeEach(() => {
  world = new World();
});

afterEach(() => world.close());

async function three(): Promise<[TestNode, TestNode, TestNode]> {
  const nodes = [await world.node('a'), await world.node('b'), await world.node('c')] as const;
  return [...nodes];
}

describe('a fleet over TCP', () => {
  it.each([true, false])(
    'serves a name from every node, wherever its agent is (acknowledged: %s)',
    async (acknowledged) => {
      const [a, b, c] = await three();
      b.agent('agent', ['app']);
      await world.converged();
      for (const node of [a, b, c]) {
        const opened = await node.fleet.openStream('app', {}, { acknowledged });
        expect(opened.node.name).toBe('b');
        expect(opened.ref !== undefined).toBe(node === b);
        expect(await exchange(opened.stream, 'hello')).toBe('agent\nhello');
        expect(opened.session).toMatchObject({ id: 'agent', label: 'agent', facts: { label: 'agent' } });
      }
      expect(a.fleet.stats()).toMatchObject({ forwardsOut: 1, retries: 0, linksIn: 4 });
      expect(b.fleet.stats().forwardsIn).toEqual({ accepted: 2, 'not-here': 0, gone: 0, refused: 0 });
    },
  );

  it('carries as much as one likes in both directions, and ends where the streams end', async () => {
    const [a, b] = await three();
    b.agent('agent', ['app'], { serve: (stream) => void stream.pipe(stream) });
    await world.converged();
    for (const acknowledged of [true, false]) {
      const { stream } = await a.fleet.openStream('app', {}, { acknowledged });
      const text = 'x'.repeat(3_000_000);
      expect(await exchange(stream, text)).toBe(text);
    }
  });

  it('is the pool alone where it is alone', async () => {
    const a = await world.node('a');
    a.agent('agent', ['app']);
    const { stream, node, ref } = await a.fleet.openStream('app');
    expect([node.name, ref?.id]).toEqual(['a', 'agent']);
    expect(await exchange(stream, 'x')).toBe('agent\nx');
    await expect(a.fleet.openStream('nothing')).rejects.toThrow(NoMatchingSessionError);
    expect(a.directory.calls.lookup).toBe(1);
    await expect(a.fleet.openStream('nothing')).rejects.toThrow(NoMatchingSessionError);
    expect(a.directory.calls.lookup).toBe(1);
  });

  it('prefers own sessions, and goes elsewhere when they are full', async () => {
    const [a, b] = await three();
    a.agent('near', ['app'], { maxActiveStreams: 1 });
    b.agent('far', ['app'], { maxActiveStreams: 1 });
    await world.converged();
    const first = await a.fleet.openStream('app', {}, { acknowledged: true });
    const second = await a.fleet.openStream('app', {}, { acknowledged: true });
    expect([first.session?.id, second.session?.id]).toEqual(['near', 'far']);
    await expect(a.fleet.openStream('app', {}, { acknowledged: true })).rejects.toThrow(NoAvailableSessionError);
    first.stream.destroy();
    second.stream.destroy();
  });

  it('says how many are full where only another node has sessions', async () => {
    const [a, b] = await three();
    b.agent('far', ['app'], { maxActiveStreams: 1 });
    await world.converged();
    const { stream } = await a.fleet.openStream('app', {}, { acknowledged: true });
    await expect(a.fleet.openStream('app', {}, { acknowledged: true })).rejects.toMatchObject({
      code: 'ERR_YAMUX_POOL_NO_AVAILABLE_SESSION',
      counts: { full: 1 },
    });
    stream.destroy();
  });

  it('brings one key to one agent from wherever it comes, also after the agent has moved', async () => {
    const [a, b, c] = await three();
    const moving = a.agent('one', ['app']);
    b.agent('two', ['app']);
    c.agent('three', ['app']);
    await world.converged();
    const agentOf = async (node: TestNode, affinityKey: string): Promise<string | undefined> => {
      const { stream, session } = await node.fleet.openStream('app', { affinityKey }, { acknowledged: true });
      stream.destroy();
      return session?.id;
    };
    const keys = ['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k7', 'k8'];
    const all = async (node: TestNode): Promise<(string | undefined)[]> =>
      Promise.all(keys.map((key) => agentOf(node, key)));
    const before = await all(a);
    expect(new Set(before).size).toBe(3);
    expect(await all(b)).toEqual(before);
    moving.near.destroy();
    c.agent('one', ['app']);
    await world.converged();
    expect(await all(a)).toEqual(before);
    expect(await all(b)).toEqual(before);
  });

  it('asks the next node where the first has lost its agent, and remembers that', async () => {
    const [a, b, c] = await three();
    const lost = b.agent('lost', ['app']);
    await world.converged();
    const first = await a.fleet.openStream('app', {}, { acknowledged: true });
    first.stream.destroy();
    // No hint reaches it: what it knows is wrong.
    b.directory.cut();
    lost.near.destroy();
    c.agent('there', ['app']);
    await world.until(() => c.fleet.stats().namesUntold === 0);
    const { session } = await a.fleet.openStream('app', {}, { acknowledged: true }).then((opened) => {
      opened.stream.destroy();
      return opened;
    });
    expect(session?.id).toBe('there');
  });

  it('tries another agent where one refuses, at whichever node it is', async () => {
    const [a, b, c] = await three();
    b.agent('refusing', ['app'], { acceptBacklog: 0 });
    c.agent('willing', ['app']);
    await world.converged();
    for (let n = 0; n < 6; n += 1) {
      const { stream, session } = await a.fleet.openStream('app', {}, { acknowledged: true });
      expect(session?.id).toBe('willing');
      stream.destroy();
    }
  });

  it('tells of a refusal that came after the open', async () => {
    const [a, b] = await three();
    b.agent('refusing', ['app'], { acceptBacklog: 0 });
    await world.converged();
    const { stream, session } = await a.fleet.openStream('app');
    expect(session).toBeUndefined();
    const [error] = await once(stream, 'error');
    expect(error).toMatchObject({ code: 'ERR_YAMUX_FLEET_REFUSED', scope: 'stream', refused: true });
  });

  it("lets a reset through, with the error of the link's own stream", async () => {
    const [a, b] = await three();
    const agent = b.agent('agent', ['app'], { serve: () => {} });
    await world.converged();
    const { stream } = await a.fleet.openStream('app', {}, { acknowledged: true });
    const failed = once(stream, 'error');
    stream.resume();
    agent.seen[0]?.destroy();
    expect((await failed)[0]).toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET', scope: 'stream' });
    const second = await a.fleet.openStream('app', {}, { acknowledged: true });
    await world.until(() => agent.seen.length === 2);
    second.stream.destroy();
    await world.until(() => agent.seen[1]?.destroyed === true);
  });

  it('gives up at its timeout, and at its signal, and leaves no stream behind', async () => {
    const [a, b] = await three();
    const agent = b.agent('silent', ['app'], { acceptBacklog: 100 });
    agent.far.removeAllListeners('stream');
    await world.converged();
    const late = a.fleet.openStream('app', {}, { acknowledged: true, timeout: 1_000 });
    const failed = expect(late).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT' });
    let isOver = false;
    void failed.then(() => {
      isOver = true;
    });
    await world.until(() => isOver);
    const controller = new AbortController();
    const aborted = a.fleet.openStream('app', {}, { acknowledged: true, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await world.until(() => b.pool.stats().activeStreams + b.pool.stats().pendingStreams === 0);
  });

  it('drains a node: the others ask it only where no other can serve', async () => {
    const [a, b, c] = await three();
    b.agent('b1', ['app', 'only']);
    c.agent('c1', ['app']);
    await world.converged();
    await b.fleet.drain();
    await world.until(() => a.fleet.nodes().some(({ draining }) => draining));
    for (let n = 0; n < 6; n += 1) {
      const { stream, node } = await a.fleet.openStream('app', {}, { acknowledged: true });
      expect(node.name).toBe('c');
      stream.destroy();
    }
    const { stream, node } = await a.fleet.openStream('only', {}, { acknowledged: true });
    expect(node.name).toBe('b');
    stream.destroy();
  });

  it('asks no node for sessions that drain there', async () => {
    const [a, b, c] = await three();
    b.agent('b1', ['app']);
    c.agent('c1', ['app']);
    await world.converged();
    for (const session of b.pool.sessions()) session.drain();
    await world.converged();
    for (let n = 0; n < 6; n += 1) {
      const { stream } = await a.fleet.openStream('app', {}, { acknowledged: true });
      stream.destroy();
    }
    expect(b.fleet.stats().forwardsIn).toEqual({ accepted: 0, 'not-here': 0, gone: 0, refused: 0 });
  });

  it('has told the directory what its pool had when it has started', async () => {
    const pool = new SessionPool();
    pool.add(new FakeSession(), { tags: ['app', 'other'] });
    await world.node('a', {}, { pool });
    expect(world.engine.names).toBe(2);
  });

  it('leaves the others at once when it closes', async () => {
    const [a, b, c] = await three();
    b.agent('b1', ['app']);
    c.agent('c1', ['app']);
    await world.converged();
    await b.fleet.close({ timeout: 0 });
    for (let n = 0; n < 6; n += 1) {
      const { stream, node } = await a.fleet.openStream('app', {}, { acknowledged: true });
      expect(node.name).toBe('c');
      stream.destroy();
    }
    await expect(b.fleet.openStream('app')).rejects.toMatchObject({ code: 'ERR_YAMUX_FLEET_CLOSED' });
    await world.converged([a, c]);
  });

  it('explains where an open would go, without asking anybody', async () => {
    const [a, b] = await three();
    b.agent('b1', ['app']);
    await world.converged();
    expect(a.fleet.explain('app').nodes).toEqual([]);
    const { stream } = await a.fleet.openStream('app', {}, { acknowledged: true });
    stream.destroy();
    const lookups = a.directory.calls.lookup;
    expect(a.fleet.explain('app').nodes).toEqual([
      { node: 'b', isSelf: false, sessions: 1, verdict: 'eligible', next: true },
    ]);
    expect(b.fleet.explain('app').nodes).toEqual([
      { node: 'b', isSelf: true, sessions: 1, verdict: 'eligible', next: true },
    ]);
    expect(b.fleet.explain('app').sessions).toMatchObject([{ id: 'b1', verdict: 'eligible' }]);
    expect(a.directory.calls.lookup).toBe(lookups);
  });
});

describe('what an owner of a fleet decides', () => {
  it('is how streams of own sessions are opened, for this node and for peers, and what is looked at then', async () => {
    const asked: (string | undefined)[] = [];
    const seen: string[] = [];
    const a = await world.node('a');
    const b: TestNode = await world.node(
      'b',
      {},
      {
        openOwn: (name, _routing, { peer, ...limits }) => {
          asked.push(peer);
          return b.pool.openStream({ requiredTags: [name] }, limits);
        },
        onForwarded: ({ name, session, stream, peer }) => {
          stream.on('data', (chunk: Buffer) => seen.push(`${peer} ${name} ${session.id}: ${chunk}`));
        },
      },
    );
    b.agent('agent', ['app']);
    await world.converged();
    const { stream } = await a.fleet.openStream('app', {}, { acknowledged: true });
    expect(await exchange(stream, 'hello')).toBe('agent\nhello');
    (await b.fleet.openStream('app')).stream.destroy();
    expect(asked).toEqual(['a', undefined]);
    expect(seen.join('')).toContain('a app agent: agent');
  });

  it("waits for the agent's word only elsewhere, where it says so", async () => {
    const waits: boolean[] = [];
    const nodes: TestNode[] = [];
    for (const name of ['a', 'b']) {
      const node: TestNode = await world.node(
        name,
        {},
        {
          openOwn: (tag, _routing, { peer: _peer, ...limits }) => {
            waits.push(limits.acknowledged);
            return node.pool.openStream({ requiredTags: [tag] }, limits);
          },
        },
      );
      node.agent(`agent of ${name}`, [name]);
      nodes.push(node);
    }
    await world.converged();
    for (const name of ['a', 'b']) {
      const { stream, session } = await (nodes[0] as TestNode).fleet.openStream(
        name,
        {},
        { acknowledged: 'elsewhere' },
      );
      expect([session?.id, await exchange(stream, '')]).toEqual([`agent of ${name}`, `agent of ${name}\n`]);
    }
    expect(waits).toEqual([false, true]);
  });
});

describe('a name', () => {
  it('is looked up with its nodes; and it is an error that nothing is known of it where the directory is down', async () => {
    const [a, b] = await three();
    b.agent('agent', ['app']);
    await world.converged();
    expect(await a.fleet.lookup('app')).toMatchObject([{ node: b.fleet.id, sessions: 1, agents: [{ id: 'agent' }] }]);
    expect(await a.fleet.lookup('nothing')).toEqual([]);
    a.directory.cut();
    expect(await a.fleet.lookup('app')).toHaveLength(1);
    await expect(a.fleet.lookup('another')).rejects.toMatchObject({ code: 'ERR_YAMUX_FLEET_DIRECTORY' });
  });

  it('with an agent that is asked for goes to the node of that agent at once', async () => {
    const [a, b, c] = await three();
    a.agent('near', ['app']);
    b.agent('far', ['app']);
    c.agent('farther', ['app']);
    await world.converged();
    const { session, stream } = await a.fleet.openStream('app', { sessionId: 'farther' }, { acknowledged: true });
    expect([session?.id, a.fleet.stats().retries]).toEqual(['farther', 0]);
    stream.destroy();
  });

  it('whose session is lost under a stream says so to the node that asked', async () => {
    const [a, b] = await three();
    const agent = b.agent('agent', ['app']);
    await world.converged();
    const { stream } = await a.fleet.openStream('app', {}, { acknowledged: true });
    const failed = once(stream, 'error');
    stream.resume();
    agent.far.destroy();
    expect((await failed)[0]).toMatchObject({ errorCode: SESSION_LOST });
    expect(a.fleet.nodes().find(({ name }) => name === 'b')).toMatchObject({ forwardsOut: 1 });
    expect(b.fleet.nodes().find(({ name }) => name === 'a')).toMatchObject({ forwardsIn: 1 });
  });
});

describe('what a node knows that is no longer so', () => {
  it('is looked up again before an open is given up, though no hint came', async () => {
    const [a, b, c] = await three();
    b.agent('agent', ['app']);
    await world.converged();
    (await a.fleet.openStream('app', {}, { acknowledged: true })).stream.destroy();
    a.directory.hint = (): void => {};
    await b.fleet.close({ timeout: 0 });
    c.agent('agent', ['app']);
    await world.until(() => c.fleet.stats().namesUntold === 0 && a.fleet.size === 2);
    const opened = await Promise.all([1, 2, 3].map(() => a.fleet.openStream('app', {}, { acknowledged: true })));
    expect(opened.map(({ node }) => node.name)).toEqual(['c', 'c', 'c']);
    for (const { stream } of opened) stream.destroy();
  });

  it('may be a node that has come since the last beat: it is met at once', async () => {
    const a = await world.node('a');
    await world.node('b');
    await world.converged();
    const late = await world.node('late');
    late.agent('agent', ['app']);
    await world.until(() => late.fleet.stats().namesUntold === 0, 1);
    expect(a.fleet.size).toBe(2);
    const opening = a.fleet.openStream('app', {}, { acknowledged: true });
    let isOpen = false;
    void opening.then(({ stream }) => {
      isOpen = true;
      stream.destroy();
    });
    const failed = opening.then(() => undefined);
    await Promise.race([world.until(() => isOpen, 1), failed]);
    expect((await opening).node.name).toBe('late');
  });
});
