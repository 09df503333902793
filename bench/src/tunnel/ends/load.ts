// The load: groups of connections, each of which sends one request after the other. Like bench/go-http/load.go.
import { createInterface } from 'node:readline';
import { percentile } from '../../statistics.ts';
import { LoadConnection } from './load-connection.ts';
import { type GroupOutcome, type Load, type LoadOutcome, tell } from './messages.ts';

/** Reads lines until stdin ends, and then ends the process. */
export function serveLoad(): void {
  let begin: (() => Promise<void>) | undefined;
  const lines = createInterface({ input: process.stdin });
  const fail = (error: Error): void => tell({ failure: error.message });
  lines.on('line', (line) => {
    const begun = begin;
    begin = undefined;
    if (begun !== undefined) void begun().catch(fail);
    else {
      const load = JSON.parse(line) as Load;
      connectAll(load).then((connections) => {
        begin = async () => tell(await drive(connections, load.ms));
        tell({ ready: true });
      }, fail);
    }
  });
  lines.on('close', () => process.exit());
}

/** Each connection does one request, so that the proxies in between have connected too. */
async function connectAll(load: Load): Promise<LoadConnection[][]> {
  const groups = load.groups.map((group) =>
    Array.from({ length: group.connections }, () => new LoadConnection(load, group)),
  );
  await Promise.all(groups.flat().map((connection) => connection.exchange()));
  return groups;
}

/** After `ms` every connection finishes its current request. */
async function drive(groups: readonly (readonly LoadConnection[])[], ms: number): Promise<LoadOutcome> {
  const start = performance.now();
  const outcomes = await Promise.all(groups.map((group) => driveGroup(group, start + ms)));
  const seconds = (performance.now() - start) / 1000;
  for (const connection of groups.flat()) connection.close();
  return { seconds, groups: outcomes };
}

async function driveGroup(connections: readonly LoadConnection[], deadline: number): Promise<GroupOutcome> {
  const times: number[] = [];
  await Promise.all(
    connections.map(async (connection) => {
      for (let sentAt = performance.now(); sentAt < deadline; ) {
        await connection.exchange();
        const now = performance.now();
        times.push(now - sentAt);
        sentAt = now;
      }
    }),
  );
  return { requests: times.length, p50: percentile(times, 50), p99: percentile(times, 99) };
}
