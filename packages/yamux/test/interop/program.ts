// A program: what both ends of one session do with it and with all its streams. Plain data, so that it is generated, sent to Go,
// printed and shrunk alike. Nothing in it is a time: who has to wait makes a round trip, or waits for bytes.
import type { SessionOptions } from '../../src/index.ts';
import type { GoConfig, Role, Transfer } from './go-peer.ts';

export interface Write {
  readonly size: number;
  /** Bytes in one write(); the last one may be shorter. */
  readonly chunk: number;
}

/** What one end does with one stream: it writes and ends its half, and beside that it reads to the end. */
export interface Half {
  readonly writes: readonly Write[];
  /** The writing begins when so many bytes were read, or no more will come. Only one end of a stream waits so. */
  readonly writesAfter: number;
  /** Numbers of bytes, ascending, after which the reader stops for a round trip. */
  readonly pauses: readonly number[];
  readonly readSize: number;
}

/** Our application gives a stream up. hashicorp's has no way to do that. */
export interface Cut {
  readonly how: 'reset' | 'destroy' | 'fail' | 'endAndDestroy';
  /** So many bytes were read, or so many round trips made since the stream came to be. */
  readonly after: 'bytes' | 'roundTrips';
  readonly count: number;
}

export interface OurHalf extends Half {
  /** As it flows, or by read(readSize). */
  readonly flows: boolean;
  readonly cut: Cut | null;
}

export interface StreamPlan {
  readonly id: number;
  readonly opener: 'us' | 'go';
  /** Round trips that its opener makes first; what it opens later waits for them. */
  readonly roundTrips: number;
  readonly us: OurHalf;
  readonly go: Half;
}

export type GoStep = 'ping' | 'goAway' | 'close';
export type OurStep = 'ping' | 'goAway' | 'close' | 'destroy';

export interface Program {
  readonly role: Role;
  readonly options: SessionOptions;
  readonly config: GoConfig;
  readonly streams: readonly StreamPlan[];
  /** What each end does with the session meanwhile, one after the other. */
  readonly ourSteps: readonly OurStep[];
  readonly goSteps: readonly GoStep[];
  /** Who closes the session when all is done, if no step has. */
  readonly closer: 'us' | 'go';
}

/** The half of a program that Go carries out; see go-peer/program.go. */
export interface GoProgram {
  readonly steps: readonly GoStep[];
  readonly opens: readonly GoStreamPlan[];
  readonly accepts: readonly GoStreamPlan[];
}

interface GoStreamPlan extends Half {
  readonly id: number;
  readonly roundTrips: number;
  readonly seed: number;
}

/** What one end tells of one stream. */
export interface StreamReport {
  readonly id: number;
  readonly sent: Transfer;
  readonly received: Transfer;
}

export interface GoReport {
  readonly streams: readonly StreamReport[];
  /** The errors of opens, steps and round trips. */
  readonly failures: readonly string[];
  /** Streams that hashicorp still has at the end. */
  readonly live: number;
}

/** What seeds the payload that an end sends on a stream (payload.ts). */
export const seedOf = { us: (id: number): number => 2 * id, go: (id: number): number => 2 * id + 1 } as const;

export function sizeOf(half: Half): number {
  return half.writes.reduce((sum, { size }) => sum + size, 0);
}

export function forGo({ goSteps, streams }: Program): GoProgram {
  const planned = (opener: 'us' | 'go'): GoStreamPlan[] =>
    streams
      .filter((stream) => stream.opener === opener)
      .map(({ id, roundTrips, go }) => ({ ...go, id, roundTrips, seed: seedOf.go(id) }));
  return { steps: goSteps, opens: planned('go'), accepts: planned('us') };
}
