// Gateways of one fleet in this process: each with a pool and ports of its own, on one directory in memory.
import { type Fleet, memoryDirectory, type SessionDirectory } from '@zishuo/yamux-fleet';
import { onTestFinished } from 'vitest';
import type { TunnelGatewayOptions } from '../../src/gateway/options.ts';
import { type Gateway, startGateway } from './tunnel.ts';

const PEER_SECRET = 'what the gateways of this test share with each other';

export interface FleetGateway extends Gateway {
  readonly fleet: Fleet;
}

/** So many gateways, named a, b, c, that reach each other. */
export async function startFleet(
  count: number,
  options: Partial<TunnelGatewayOptions> = {},
  directory: SessionDirectory = memoryDirectory(),
): Promise<FleetGateway[]> {
  const gateways: FleetGateway[] = [];
  for (const name of ['a', 'b', 'c'].slice(0, count)) gateways.push(await joinFleet(name, options, directory));
  onTestFinished(() => directory.close());
  await settled(gateways);
  return gateways;
}

/** One more gateway on this directory. */
export async function joinFleet(
  name: string,
  options: Partial<TunnelGatewayOptions>,
  directory: SessionDirectory,
): Promise<FleetGateway> {
  const peers = { listen: { host: '127.0.0.1', port: 0 }, secret: PEER_SECRET };
  const gateway = await startGateway({ ...options, fleet: { name, directory, peers } });
  return { ...gateway, fleet: gateway.gateway.fleet as Fleet };
}

/** Resolves when each reaches every other one, and what they have is told. */
export async function settled(gateways: readonly FleetGateway[]): Promise<void> {
  for (;;) {
    const isSettled = gateways.every(({ fleet }) => {
      const { nodes, nodesReachable, namesUntold } = fleet.stats();
      return nodes === gateways.length && nodesReachable === nodes && namesUntold === 0;
    });
    if (isSettled) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
