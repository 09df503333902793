// What the engine, the links and other nodes may do to requests: over a network in memory, on a clock that the test moves.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryNetwork } from './support/memory-network.ts';
import { type TestNode, turn, World } from './support/world.ts';

let world: World;
let network: MemoryNetwork;

beforeEach(() => {
  world = new World();
  network = new MemoryNetwork();
});

afterEach(() => world.close());

async function nodes(...names: string[]): Promise<TestNode[]> {
  const made: TestNode[] = [];
  for (const [index, name] of names.entries()) {
    made.push(await world.node(name, { network: network.at(index + 1) }, { address: `${name}:${index + 1}` }));
  }
  return made;
}

/** Who serves the name, asked at that node; or the code of the error. */
async function served({ fleet }: TestNode, name = 'app'): Promise<string> {
  try {
    const opening = fleet.openStream(name, {}, { acknowledged: true });
    const { stream, session } = await world.settled(opening);
    stream.on('error', () => {});
    stream.destroy();
    return String(session?.id);
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

/** So much time passes, and everything that it brings. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    world.clock.advance(50);
    await turn();
    await turn();
  }
}

describe('the engine', () => {
  it('may stand still: own and known names are served, unknown ones are not, and all is well when it goes on', async () => {
    const [a, b] = (await nodes('a', 'b')) as [TestNode, TestNode];
    a.agent('own', ['own']);
    b.agent('far', ['app', 'other']);
    await world.converged();
    expect(await served(a)).toBe('far');
    world.engine.stop();
    await pass(2_500);
    expect(a.fleet.stats().directoryDownMs).toBeGreaterThan(0);
    for (let n = 0; n < 4; n += 1) {
      expect([await served(a, 'own'), await served(a)]).toEqual(['own', 'far']);
      expect(await served(a, 'other')).toBe('ERR_YAMUX_POOL_NO_MATCHING_SESSION');
      await pass(30_000);
    }
    world.engine.resume();
    await world.converged();
    expect(await served(a, 'other')).toBe('far');
    expect(a.fleet.stats().directoryDownMs).toBeUndefined();
  });

  it('may forget everything: known names are served on, and it is filled again', async () => {
    const [a, b, c] = (await nodes('a', 'b', 'c')) as [TestNode, TestNode, TestNode];
    b.agent('far', ['app']);
    for (let n = 0; n < 1_200; n += 1) c.agent(`c${n}`, [`name ${n}`]);
    await world.converged();
    expect(await served(a)).toBe('far');
    world.engine.clear();
    expect(world.engine.names).toBe(0);
    for (let ms = 0; ms < 3_000; ms += 100) {
      expect(await served(a)).toBe('far');
      await pass(100);
    }
    expect(world.engine.names).toBe(1_201);
    expect(await served(a, 'name 1199')).toBe('c1199');
  });

  it('may be cut off from one node alone, which is served and serves on, and comes back', async () => {
    const [a, b] = (await nodes('a', 'b')) as [TestNode, TestNode];
    a.agent('at a', ['a']);
    b.agent('at b', ['b']);
    await world.converged();
    expect([await served(a, 'b'), await served(b, 'a')]).toEqual(['at b', 'at a']);
    b.directory.cut();
    for (let n = 0; n < 10; n += 1) {
      await pass(5_000);
      expect([await served(a, 'b'), await served(b, 'a')]).toEqual(['at b', 'at a']);
    }
    b.agent('new at b', ['new']);
    await pass(2_000);
    expect(await served(a, 'new')).toBe('ERR_YAMUX_POOL_NO_MATCHING_SESSION');
    b.directory.mend();
    await pass(3_000);
    expect(await served(a, 'new')).toBe('new at b');
  });

  it('is told a few names again every minute, so that it may forget those that nobody tells', async () => {
    const [a] = (await nodes('a')) as [TestNode];
    for (let n = 0; n < 1_000; n += 1) a.agent(`a${n}`, [`name ${n}`]);
    await world.converged();
    const published = a.directory.calls.publish;
    await pass(61_000);
    expect(a.directory.calls.publish).toBe(published + 1);
    expect(a.fleet.stats().namesUntold).toBe(0);
  });

  it('hears of a thousand strange names no more often than it may be asked, and remembers none', async () => {
    const [a] = (await nodes('a')) as [TestNode];
    for (let n = 0; n < 5_000; n += 1) await a.fleet.openStream(`strange ${n}`).catch(() => {});
    expect(a.fleet.stats()).toMatchObject({ lookups: 1_000, lookupsLimited: 4_000, namesUnknown: 1_000 });
    expect(world.engine.names).toBe(0);
  });
});

describe('another node', () => {
  it('may be killed: its links break, and the next request goes to another at once', async () => {
    const [a, , c] = (await nodes('a', 'b', 'c')) as [TestNode, TestNode, TestNode];
    world.nodes[1]?.agent('at b', ['app']);
    c.agent('at c', ['app']);
    await world.converged();
    for (let n = 0; n < 10; n += 1) expect(['at b', 'at c']).toContain(await served(a));
    network.kill(2);
    await turn();
    await turn();
    for (let n = 0; n < 20; n += 1) expect(await served(a)).toBe('at c');
  });

  it('may stand still without a word: what waits for it is served by another', async () => {
    const [a, b, c] = (await nodes('a', 'b', 'c')) as [TestNode, TestNode, TestNode];
    const silent = b.agent('at b', ['app']);
    silent.far.removeAllListeners('stream');
    c.agent('at c', ['app']);
    await world.converged();
    const all = Array.from({ length: 10 }, () =>
      a.fleet.openStream('app', {}, { acknowledged: true, attemptTimeout: 1_000, timeout: 5_000 }),
    );
    let done = 0;
    for (const opened of all) void opened.then(() => (done += 1));
    await world.until(() => done === all.length);
    for (const { stream, session } of await Promise.all(all)) {
      expect(session?.id).toBe('at c');
      stream.destroy();
    }
  });

  it('may be out of reach: each side serves what it reaches, and all again when the link is back', async () => {
    const [a, b, c] = (await nodes('a', 'b', 'c')) as [TestNode, TestNode, TestNode];
    b.agent('at b', ['app']);
    await world.converged();
    expect([await served(a), await served(c)]).toEqual(['at b', 'at b']);
    network.cut(1, 2);
    await pass(1_000);
    expect([await served(a), await served(c)]).toEqual(['ERR_YAMUX_FLEET_UNREACHABLE', 'at b']);
    network.mend();
    await pass(3_000);
    expect(await served(a)).toBe('at b');
  });

  it('may come back under its name as another process', async () => {
    const [a, b] = (await nodes('a', 'b')) as [TestNode, TestNode];
    b.agent('before', ['app']);
    await world.converged();
    expect(await served(a)).toBe('before');
    network.kill(2);
    await b.fleet.close({ timeout: 0 });
    world.nodes.splice(1, 1);
    const again = await world.node('b', { network: network.at(2) }, { address: 'b:2' });
    again.agent('after', ['app']);
    await pass(3_000);
    expect(await served(a)).toBe('after');
    expect(a.fleet.nodes().map(({ name }) => name)).toEqual(['a', 'b']);
  });
});
