// The round trip of a small message through both ends: alone, or beside a bulk stream.

import type { Case, Figure } from '../case.ts';
import { percentile } from '../statistics.ts';
import { MIB } from './bulk.ts';
import { MESSAGE_BYTES } from './echo.ts';
import { endAll } from './ends.ts';
import { ping } from './pinger.ts';
import { chunkOf, Sender } from './sender.ts';

const title = `${MESSAGE_BYTES} B ping-pong`;

export const pingPong: Case = {
  name: 'ping-pong',
  figures: [{ name: 'ping-pong', title: `${title} on one stream`, unit: 'µs', better: 'lower' }],
  load: { kind: 'ping-pong' },

  async drive(connection, ms) {
    const stream = await connection.open();
    const roundTrips = await ping(stream, ms);
    await endAll([stream]);
    return [(roundTrips.reduce((total, roundTrip) => total + roundTrip) / roundTrips.length) * 1000];
  },
};

const BYTES_PER_WRITE = 65_536;
const chunk = chunkOf(BYTES_PER_WRITE);
/** The rate of the paced stream: even the slowest contender can carry it. */
const PACE = 200 * MIB;

interface Beside {
  readonly name: string;
  readonly title: string;
  readonly bytesPerSecond?: number;
}

export const pingPongBesideBulk: Case = pingPongBeside({ name: 'bulk', title: 'a bulk stream' });

/** The same work for all contenders: one that carries ten times as much has ten times as much garbage to collect. */
export const pingPongBesidePaced: Case = pingPongBeside({
  name: 'paced',
  title: `a stream of ${PACE / MIB} MiB/s`,
  bytesPerSecond: PACE,
});

function pingPongBeside({ name, title: beside, bytesPerSecond }: Beside): Case {
  const figure = (suffix: string, what: string, rest: Pick<Figure, 'unit' | 'better'>): Figure => ({
    name: `ping-pong-beside-${name}${suffix}`,
    title: `${title} beside ${beside}, ${what}`,
    ...rest,
  });
  return {
    name: `ping-pong-beside-${name}`,
    figures: [
      figure('-p50', 'p50', { unit: 'µs', better: 'lower' }),
      figure('-p99', 'p99', { unit: 'µs', better: 'lower' }),
      // A contender that starves the bulk stream would have good latencies, so both are measured.
      figure('', 'that stream', { unit: 'MiB/s', better: 'higher' }),
    ],
    load: {
      kind: 'ping-pong-beside-bulk',
      bytesPerWrite: BYTES_PER_WRITE,
      ...(bytesPerSecond !== undefined && { bytesPerSecond }),
    },

    async drive(connection, ms) {
      const bulkStream = await connection.open();
      const sender = new Sender(bulkStream, chunk, bytesPerSecond && bytesPerSecond / 1000);
      const pingStream = await connection.open();
      const start = performance.now();
      const sending = sender.send(ms).then((bytes) => bytes / MIB / ((performance.now() - start) / 1000));
      const [bulkSpeed, roundTrips] = await Promise.all([sending, ping(pingStream, ms)]);
      await endAll([bulkStream, pingStream]);
      return [percentile(roundTrips, 50) * 1000, percentile(roundTrips, 99) * 1000, bulkSpeed];
    },
  };
}
