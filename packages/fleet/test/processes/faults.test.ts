// What may happen to a fleet, for real: three nodes as processes, a real engine, agents and clients over TCP. While clients ask without a pause, a node or
// the engine is killed or stands still, wires are cut, everything is rolled, agents storm. Times are printed; what is asserted of them is generous.
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { introduce } from '../../src/peer/greeting.ts';
import { Engine, hasEngine } from '../support/engine.ts';
import { ask, Load, type Outcome, pause } from './load.ts';
import { NodeProcess } from './node-process.ts';
import { RemoteAgent } from './remote-agent.ts';

/** Each has another way when any one node is gone: `x` at a and b, `y` at b and c; `z` is at c alone. */
const NAMES = ['x', 'y', 'z'];

describe.skipIf(!hasEngine())('a fleet of three processes', { timeout: 120_000 }, () => {
  let engine: Engine;
  let nodes: NodeProcess[];
  let agents: RemoteAgent[];
  let loads: Load[];
  let [a, b, c] = [] as unknown as [NodeProcess, NodeProcess, NodeProcess];
  let [atAB, atBC, atC] = [] as unknown as [RemoteAgent, RemoteAgent, RemoteAgent];

  beforeEach(async () => {
    loads = [];
    engine = new Engine();
    await engine.start();
    nodes = ['a', 'b', 'c'].map((name) => new NodeProcess(name, engine.path));
    [a, b, c] = nodes as typeof nodes & [NodeProcess, NodeProcess, NodeProcess];
    await Promise.all(nodes.map((node) => node.start()));
    agents = [new RemoteAgent('ab', ['x']), new RemoteAgent('bc', ['y']), new RemoteAgent('c', ['z'])];
    [atAB, atBC, atC] = agents as typeof agents & [RemoteAgent, RemoteAgent, RemoteAgent];
    await Promise.all([atAB.join(a), atAB.join(b), atBC.join(b), atBC.join(c), atC.join(c)]);
    await whole(nodes);
  }, 60_000);

  afterEach(async () => {
    await Promise.all(loads.map((load) => load.end()));
    for (const agent of agents) agent.close();
    await Promise.all(nodes.map((node) => node.close()));
    await engine.close();
  }, 60_000);

  /** Every one of them reaches every other, and the engine has been told all. */
  async function whole(these: readonly NodeProcess[]): Promise<void> {
    for (;;) {
      const all = await Promise.all(these.map((node) => node.status()));
      const isWhole = all.every(
        ({ stats }) =>
          stats.nodes === these.length &&
          stats.nodesReachable === these.length &&
          stats.namesUntold === 0 &&
          stats.directoryDownMs === undefined,
      );
      if (isWhole) return;
      await pause(20);
    }
  }

  const running = (): NodeProcess[] => nodes.filter((node) => node.isRunning);

  /** As an agent moves: it leaves no other node before this one has told the directory of it. */
  async function joined(agent: RemoteAgent, node: NodeProcess): Promise<void> {
    await agent.join(node);
    while ((await node.status()).stats.namesUntold > 0) await pause(5);
  }

  async function underLoad(
    names: readonly string[] = NAMES,
    entries: () => readonly NodeProcess[] = running,
  ): Promise<Load> {
    const load = loading(nodes, names, entries);
    await load.more(5);
    return load;
  }

  function loading(at: readonly NodeProcess[], names: readonly string[], entries: () => readonly NodeProcess[]): Load {
    const load = new Load(at, names, entries);
    loads.push(load);
    return load;
  }

  function told(what: string, ms: number): void {
    console.info(`${what}: ${ms.toFixed(0)} ms`);
  }

  it('kill −9 of a node: what had not reached an agent is served by another way', async () => {
    const asking = await underLoad();
    const killedAt = performance.now();
    await b.kill();
    await asking.more(20);
    await whole([a, c]);
    told('a node was killed; the slowest request since', asking.slowest(killedAt));
    expect(asking.lost.filter((one) => !one.endsWith('cut behind'))).toEqual([]);
    expect(asking.slowest(killedAt)).toBeLessThan(2_000);
  });

  it('SIGSTOP of a node: the others serve by another way within the time of a keep-alive', async () => {
    const isStopped = { now: false };
    const asking = await underLoad(NAMES, () => (isStopped.now ? [a, c] : running()));
    isStopped.now = true;
    b.stop();
    const stoppedAt = performance.now();
    try {
      await pause(7_000);
      await asking.more(2);
      told('a node stood still; the slowest request since', asking.slowest(stoppedAt));
      expect(asking.slowest(stoppedAt)).toBeLessThan(15_000); // a keep-alive takes 5 s; the rest is how busy the machine is
    } finally {
      b.resume();
    }
    await whole(nodes);
    isStopped.now = false;
    await asking.more(5);
    // The other side has given up what had reached an agent through this node before it stood still.
    const wasUnderWay = ({ result, from }: Outcome): boolean => result === 'cut behind' && from < stoppedAt;
    expect(asking.outcomes.filter((one) => one.result !== 'ok' && !wasUnderWay(one))).toEqual([]);
  });

  it('SIGSTOP of the engine: known names are served, and new ones when it goes on', async () => {
    const asking = await underLoad();
    await asking.more(30);
    engine.stop();
    try {
      await pause(7_000);
      await asking.more(10);
      expect((await a.status()).stats.directoryDownMs).toBeGreaterThan(0);
    } finally {
      engine.resume();
    }
    const resumedAt = performance.now();
    await whole(nodes);
    told('the engine goes on; whole again', performance.now() - resumedAt);
    expect(asking.lost).toEqual([]);
  });

  it.each(['kill −9 and restart', 'FLUSHALL'])(
    '%s of the engine, with 10,000 names: known names are served, and it is filled again',
    async (fault) => {
      const many = new RemoteAgent(
        'many',
        Array.from({ length: 10_000 }, (_, n) => `name-${n}`),
      );
      agents.push(many);
      await many.join(c);
      await whole(nodes);
      const asking = await underLoad();
      await asking.more(10);
      const names = Number(await engine.command('DBSIZE'));
      let forgotAt = performance.now();
      if (fault === 'FLUSHALL') {
        await engine.command('FLUSHALL');
      } else {
        await engine.kill();
        await pause(2_000);
        await engine.start();
        forgotAt = performance.now();
      }
      while (Number(await engine.command('DBSIZE')) < names) await pause(20);
      const took = performance.now() - forgotAt;
      told(`${fault}: 10,000 names are there again`, took);
      expect(took).toBeLessThan(10_000);
      await whole(nodes);
      await asking.more(5);
      expect((await ask(a, 'name-9999')).result).toBe('ok');
      expect(asking.lost).toEqual([]);
    },
  );

  it('only the peer links cut: each node serves its own names, and all again behind it', async () => {
    for (const node of nodes) node.peers.cut();
    const asking = loading([a], ['x'], () => [a]);
    const other = loading([c], ['y', 'z'], () => [c]);
    await Promise.all([asking.more(20), other.more(20)]);
    expect((await ask(a, 'z')).result).toBe('ERR_YAMUX_FLEET_UNREACHABLE');
    for (const node of nodes) node.peers.mend();
    const mendedAt = performance.now();
    await whole(nodes);
    told('the links are back; whole again', performance.now() - mendedAt);
    expect((await ask(a, 'z')).result).toBe('ok');
    expect([asking.lost, other.lost]).toEqual([[], []]);
  });

  it("only a node's connections to the engine cut: it serves and is served as it was known, and all again behind it", async () => {
    const asking = await underLoad();
    await asking.more(10);
    c.engine.cut();
    await pause(7_000);
    expect((await a.status()).nodes.map(({ name }) => name).sort()).toEqual(['a', 'b', 'c']);
    await asking.more(10);
    const late = new RemoteAgent('late', ['late']);
    agents.push(late);
    await late.join(c);
    expect((await ask(c, 'late')).result).toBe('ok');
    c.engine.mend();
    const mendedAt = performance.now();
    await whole(nodes);
    told('the engine is reached again; whole again', performance.now() - mendedAt);
    await pause(1_100);
    expect((await ask(a, 'late')).result).toBe('ok');
    expect(asking.lost).toEqual([]);
  });

  it('all nodes rolled, one after the other: nothing fails', async () => {
    const open = new Set(nodes);
    const asking = await underLoad(NAMES, () => [...open]);
    const homes = new Map([
      [atAB, [a, b]],
      [atBC, [b, c]],
      [atC, [c]],
    ]);
    const rolledAt = performance.now();
    for (const node of nodes) {
      open.delete(node);
      await node.drain();
      const moved = [...homes].filter(([, at]) => at.includes(node)).map(([agent]) => agent);
      const next = nodes[(nodes.indexOf(node) + 1) % nodes.length] as NodeProcess;
      await Promise.all(
        moved.map(async (agent) => {
          if (!(homes.get(agent) as NodeProcess[]).includes(next)) await joined(agent, next);
          await agent.leave(node);
        }),
      );
      await asking.more(3);
      await node.end();
      await node.start();
      await Promise.all(moved.map((agent) => joined(agent, node)));
      for (const agent of moved) if (!(homes.get(agent) as NodeProcess[]).includes(next)) await agent.leave(next);
      await whole(nodes);
      open.add(node);
    }
    told('three nodes were rolled', performance.now() - rolledAt);
    await asking.more(5);
    expect(asking.lost).toEqual([]);
  });

  it('agents storm from one node to another: nothing fails', async () => {
    const asking = await underLoad(['z']);
    let at = c;
    for (let n = 0; n < 15; n += 1) {
      const to = nodes[n % nodes.length] as NodeProcess;
      if (to !== at) {
        await joined(atC, to);
        await atC.leave(at);
        at = to;
      }
      await asking.more(1);
    }
    expect(asking.lost).toEqual([]);
  });

  it('strangers at the peer port: refused, and nobody notices', async () => {
    const asking = await underLoad();
    const id = (await b.status()).nodes[0]?.id as string;
    const stranger = async (secret: string | undefined): Promise<string> => {
      const socket = connect(await b.peers.port(), '127.0.0.1');
      socket.on('error', () => {});
      try {
        if (secret === undefined) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100));
        else await introduce(socket, { from: 'stranger', name: 'stranger', to: id }, secret);
        return 'taken';
      } catch (error) {
        return (error as { code: string }).code;
      } finally {
        socket.destroy();
      }
    };
    await Promise.all(Array.from({ length: 20 }, () => stranger(undefined)));
    expect(
      await Promise.all(Array.from({ length: 20 }, (_, n) => stranger(`a wrong secret of full length, number ${n}`))),
    ).toEqual(Array.from({ length: 20 }, () => 'ERR_YAMUX_FLEET_PEER_REJECTED'));
    expect((await b.status()).stats.peersRejected).toBeGreaterThanOrEqual(20);
    await asking.more(5);
    expect(asking.lost).toEqual([]);
  });

  it("a million strange names: the engine's memory stays as it was", async () => {
    const used = async (): Promise<number> =>
      Number(/used_memory:(\d+)/.exec(await engine.command('INFO', 'memory'))?.[1]);
    const before = [await used(), Number(await engine.command('DBSIZE'))] as const;
    const askedAt = performance.now();
    await a.strangers(1_000_000);
    const { stats } = await a.status();
    told(`a million strange names, ${stats.lookups} of them looked up`, performance.now() - askedAt);
    expect(Number(await engine.command('DBSIZE'))).toBe(before[1]);
    expect((await used()) - before[0]).toBeLessThan(1_000_000);
    expect((await ask(a, 'z')).result).toBe('ok');
  }, 600_000); // a slow machine takes minutes for a million
});
