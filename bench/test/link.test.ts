import { expect, test } from 'vitest';
import { Link } from '../src/link.ts';

/** 1,000 bytes a ms, and 40 ms to the other end. */
const shape = { delayMs: 40, bytesPerSecond: 1_000_000 };

test('the last byte comes out when all bytes are on the link and the delay is over', () => {
  expect(new Link(shape).send(100, 5_000)).toBe(145);
});

test('bytes that come while the link is busy follow those on it', () => {
  const link = new Link(shape);
  link.send(0, 5_000);
  expect(link.send(1, 2_000)).toBe(47);
});

test('idle time of a link is not made up', () => {
  const link = new Link(shape);
  link.send(0, 5_000);
  expect(link.send(1_000, 1_000)).toBe(1_041);
});

test('a sender must wait while more than 10 ms of bytes are in the queue', () => {
  const link = new Link(shape);
  link.send(0, 10_000);
  expect(link.waitMs(0)).toBe(0);
  link.send(0, 5_000);
  expect(link.waitMs(0)).toBe(5);
  expect(link.waitMs(5)).toBe(0);
});
