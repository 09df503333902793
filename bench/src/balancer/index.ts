// The measurements of the balancer, in groups: each group has one table for each number of sessions.
import { bareOpen, openBesideWaiting, openThatWaits, poolOpen, sickPoolOpen } from './opens.ts';
import { pick, pickByKey, pickByNewKey, reserve } from './our-picks.ts';
import { grpc, undici } from './peer-picks.ts';
import type { Picker } from './picker.ts';

export interface Group {
  readonly name: string;
  readonly title: string;
  readonly pickers: readonly Picker[];
}

/** weighted is meant for at most 256 sessions. */
export const SIZES: readonly number[] = [10, 100, 256, 1_000, 10_000, 100_000];

export const groups: readonly Group[] = [
  {
    name: 'balancer-pick',
    title: 'a pick',
    pickers: [
      pick('round-robin'),
      pick('random'),
      pick('least-conn'),
      pick('weighted'),
      pickByKey,
      pickByNewKey,
      pick('rendezvous', { affinityKey: 'tenant-1' }),
      pick('peak-ewma'),
      pick('round-robin', { sessionKey: 's7' }, ', one key'),
      pick('round-robin', { sessionId: 'node-3' }, ', one id of ten'),
      pick('round-robin', { requiredTags: ['route-7'] }, ', one tag, of as many as sessions'),
      pick('round-robin', { requiredMetadata: { zone: 'eu' } }, ', metadata of half'),
      undici,
      grpc,
    ],
  },
  {
    name: 'balancer-reserve',
    title: 'a pick, its slot taken and given back',
    // A pick of the others moves their cursor, as a slot of ours moves its session, so this comparison is the fairer one.
    pickers: [
      reserve('round-robin'),
      reserve('random'),
      reserve('least-conn'),
      reserve('weighted'),
      { ...undici, name: 'undici BalancedPool, no slot' },
      { ...grpc, name: 'grpc-js round_robin, no slot' },
    ],
  },
  {
    name: 'balancer-open',
    title: 'an open and its close',
    pickers: [
      bareOpen,
      poolOpen('round-robin'),
      poolOpen('least-conn'),
      sickPoolOpen,
      openBesideWaiting,
      openThatWaits,
    ],
  },
];
