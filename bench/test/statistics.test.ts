import { expect, test } from 'vitest';
import { median, percentile } from '../src/statistics.ts';

test('the median is the middle value, or the mean of the two in the middle', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 100])).toBe(3);
});

test.each([
  [50, 50],
  [99, 99],
  [99.5, 100],
  [100, 100],
  [1, 1],
])('the %d. percentile of 1 to 100 is %d', (percent, expected) => {
  const figures = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(figures, percent)).toBe(expected);
});

test('a percentile of few values is one of them: the smallest that the percentage does not exceed', () => {
  expect(percentile([10, 30, 20], 50)).toBe(20);
  expect(percentile([10, 30, 20], 67)).toBe(30);
  expect(percentile([7], 99)).toBe(7);
});

test('no values have neither', () => {
  expect(median([])).toBeNaN();
  expect(percentile([], 50)).toBeNaN();
});
