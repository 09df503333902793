// Bytes in one direction, as fast as possible. At the end the receiver answers with the number of bytes that it counted: the clock stops at the last
// of these receipts, so bytes in buffers and windows do not count.

import type { Case, LinkShape } from '../case.ts';
import { endAll } from './ends.ts';
import { chunkOf, Sender } from './sender.ts';

export const MIB = 1_048_576;

export interface BulkShape {
  readonly name: string;
  readonly title: string;
  readonly streams: number;
  readonly bytesPerWrite: number;
  readonly link?: LinkShape;
  /** Sent on the same streams before the clock starts, so that windows can adapt. */
  readonly rampMs?: number;
}

export function bulk({ name, title, streams, bytesPerWrite, link, rampMs = 0 }: BulkShape): Case {
  const chunk = chunkOf(bytesPerWrite);
  return {
    name,
    figures: [{ name, title, unit: 'MiB/s', better: 'higher' }],
    link,
    load: { kind: 'bulk', streams, bytesPerWrite, rampMs },

    async drive(connection, ms) {
      const opened = await Promise.all(Array.from({ length: streams }, () => connection.open()));
      const senders = opened.map((stream) => new Sender(stream, chunk));
      if (rampMs > 0) await sendAll(senders, rampMs);
      const start = performance.now();
      const bytes = await sendAll(senders, ms);
      const seconds = (performance.now() - start) / 1000;
      await endAll(opened);
      return [bytes / MIB / seconds];
    },
  };
}

async function sendAll(senders: readonly Sender[], ms: number): Promise<number> {
  const sent = await Promise.all(senders.map((sender) => sender.send(ms)));
  return sent.reduce((total, bytes) => total + bytes);
}
