// Sessions as a strategy sees them, without a pool.
import type { Candidate, CandidateView } from '../../src/choosing/strategy.ts';
import type { Unavailability } from '../../src/errors.ts';

export interface FakeCandidate extends Candidate {
  weight: number;
  turn: number;
  unavailable: Unavailability | undefined;
}

let ordinals = 0;

export function candidate(key: string, weight = 1): FakeCandidate {
  return {
    ordinal: ordinals++,
    key,
    id: key,
    label: undefined,
    weight,
    tags: new Set(),
    metadata: {},
    activeStreams: 0,
    pendingStreams: 0,
    load: 0,
    turn: key.charCodeAt(0) - 1_000_000,
    rtt: undefined,
    stalledFor: undefined,
    silentSince: undefined,
    readySince: 0,
    unavailable: undefined,
  };
}

export const viewOf = (candidates: readonly Candidate[]): CandidateView => candidates as readonly Candidate[];

/** The keys that so many picks name, each marked as picked. */
export function picks(
  pick: (view: CandidateView) => number,
  candidates: readonly FakeCandidate[],
  times: number,
): string[] {
  return Array.from({ length: times }, (_, turn) => {
    const picked = candidates[pick(viewOf(candidates))] as FakeCandidate;
    picked.turn = turn;
    return picked.key;
  });
}
