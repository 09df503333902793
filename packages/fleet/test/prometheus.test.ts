import { SessionPool } from '@zishuo/yamux-balancer';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from '../src/index.ts';
import { registerFleetMetrics } from '../src/prometheus.ts';
import { MemoryNetwork } from './support/memory-network.ts';
import { World } from './support/world.ts';

let world: World;

beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

function lone(): Fleet {
  return new Fleet({ name: 'alone', pool: new SessionPool() });
}

/** The samples, without comments. */
async function samples(registry: Registry): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('registerFleetMetrics()', () => {
  it('tells what fleet.stats() does, each state and result by itself', async () => {
    const network = new MemoryNetwork();
    const a = await world.node('a', { network: network.at(1) }, { address: 'a:1' });
    const b = await world.node('b', { network: network.at(2) }, { address: 'b:2' });
    b.agent('far', ['app', 'other']);
    await world.converged();
    const [ofA, ofB] = [new Registry(), new Registry()];
    registerFleetMetrics(ofA, a.fleet);
    registerFleetMetrics(ofB, b.fleet, { name: 'of b' });
    const { stream } = await a.fleet.openStream('app', {}, { acknowledged: true });
    stream.destroy();
    await expect(a.fleet.openStream('nothing')).rejects.toThrow();
    world.clock.advance(250);
    network.cut(1, 2);
    await world.until(() => a.fleet.stats().linksIn === 0, 0);
    const { beats, beatAgeMs } = a.fleet.stats();
    expect(await samples(ofA)).toEqual([
      'yamux_fleet_nodes{fleet="default",state="reachable"} 1',
      'yamux_fleet_nodes{fleet="default",state="unreachable"} 1',
      'yamux_fleet_names{fleet="default",state="own"} 0',
      'yamux_fleet_names{fleet="default",state="untold"} 0',
      'yamux_fleet_names{fleet="default",state="cached"} 1',
      'yamux_fleet_names{fleet="default",state="unknown"} 1',
      'yamux_fleet_directory_up{fleet="default"} 1',
      `yamux_fleet_beat_age_seconds{fleet="default"} ${(beatAgeMs as number) / 1_000}`,
      'yamux_fleet_links_in{fleet="default"} 0',
      `yamux_fleet_beats_total{fleet="default"} ${beats}`,
      'yamux_fleet_beat_failures_total{fleet="default"} 0',
      'yamux_fleet_lookups_total{fleet="default"} 2',
      'yamux_fleet_lookup_failures_total{fleet="default"} 0',
      'yamux_fleet_lookups_limited_total{fleet="default"} 0',
      'yamux_fleet_forwards_out_total{fleet="default"} 1',
      'yamux_fleet_forwards_in_total{fleet="default",result="accepted"} 0',
      'yamux_fleet_forwards_in_total{fleet="default",result="not-here"} 0',
      'yamux_fleet_forwards_in_total{fleet="default",result="gone"} 0',
      'yamux_fleet_forwards_in_total{fleet="default",result="refused"} 0',
      'yamux_fleet_open_retries_total{fleet="default"} 0',
      'yamux_fleet_peers_rejected_total{fleet="default"} 0',
    ]);
    const told = await samples(ofB);
    expect(told).toContain('yamux_fleet_names{fleet="of b",state="own"} 2');
    expect(told).toContain('yamux_fleet_forwards_in_total{fleet="of b",result="accepted"} 1');
  });

  it('says that the directory is down, and no age before the first beat', async () => {
    const registry = new Registry();
    const a = await world.node('a');
    registerFleetMetrics(registry, a.fleet);
    a.directory.cut();
    expect(await samples(registry)).toContain('yamux_fleet_directory_up{fleet="default"} 0');
    const other = new Registry();
    registerFleetMetrics(other, lone());
    expect((await samples(other)).filter((line) => line.includes('beat_age'))).toEqual([]);
  });

  it('shares a registry among fleets of different names, and takes each out by itself', async () => {
    const registry = new Registry();
    const endOne = registerFleetMetrics(registry, lone(), { name: 'one' });
    const endTwo = registerFleetMetrics(registry, lone(), { name: 'two' });
    expect(() => registerFleetMetrics(registry, lone(), { name: 'one' })).toThrow("has a fleet named 'one' already");
    endOne();
    endOne();
    const left = await samples(registry);
    expect(left.length).toBeGreaterThan(10);
    expect(left.filter((line) => !line.includes('fleet="two"'))).toEqual([]);
    endTwo();
    expect(registry.getMetricsAsArray()).toEqual([]);
    registerFleetMetrics(registry, lone(), { name: 'one' });
    expect(registry.getMetricsAsArray().length).toBeGreaterThan(10);
  });

  it('refuses wrong options', () => {
    const refused = (options: object): void => void registerFleetMetrics(new Registry(), lone(), options);
    expect(() => refused({ nam: 'x' })).toThrow("Unknown option 'nam' of registerFleetMetrics(); did you mean 'name'?");
    expect(() => refused({ name: '' })).toThrow(TypeError);
  });
});
