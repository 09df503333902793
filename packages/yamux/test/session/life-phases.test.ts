import { expect, test } from 'vitest';
import {
  CLOSED,
  CLOSING,
  ENDING,
  errorOf,
  failedWith,
  isOver,
  isRunning,
  type Life,
  OPEN,
} from '../../src/session/life.ts';

const error = new Error('why');

test.each<[Life, { runs: boolean; over: boolean; why: Error | null }]>([
  [OPEN, { runs: true, over: false, why: null }],
  [CLOSING, { runs: true, over: false, why: null }],
  [ENDING, { runs: false, over: false, why: null }],
  [CLOSED, { runs: false, over: true, why: null }],
  [failedWith(error), { runs: false, over: true, why: error }],
])('$phase tells whether frames are received, whether all is over, and why', (life, { runs, over, why }) => {
  expect(isRunning(life)).toBe(runs);
  expect(isOver(life)).toBe(over);
  expect(errorOf(life)).toBe(why);
});
