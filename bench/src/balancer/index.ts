// What is measured of the balancer, by groups: each group is a table a size.
import { bareOpen, poolOpen } from './opens.ts';
import { pick, pickByKey, reserve } from './our-picks.ts';
import { grpc, undici } from './peer-picks.ts';
import type { Picker } from './picker.ts';

export interface Group {
  readonly name: string;
  readonly title: string;
  readonly pickers: readonly Picker[];
}

export const SIZES: readonly number[] = [10, 100, 1_000, 10_000, 100_000];

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
      pick('round-robin', { sessionId: 'node-3' }, ', one id of ten'),
      pick('round-robin', { requiredMetadata: { zone: 'eu' } }, ', metadata of half'),
      undici,
      grpc,
    ],
  },
  {
    name: 'balancer-reserve',
    title: 'a pick, its slot taken and given back',
    pickers: [reserve('round-robin'), reserve('random'), reserve('least-conn'), reserve('weighted')],
  },
  {
    name: 'balancer-open',
    title: 'an open and its close',
    pickers: [bareOpen, poolOpen('round-robin'), poolOpen('least-conn')],
  },
];
