import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Ping } from '../../src/session/ping.ts';

test('its pong ends it and gives the round trip', () => {
  const ping = new Ping();
  expect(ping.isUnderWay).toBe(false);
  const value = ping.begin(1000);
  expect(ping.isUnderWay).toBe(true);
  expect(ping.pong(value, 1030)).toBe(30);
  expect(ping.isUnderWay).toBe(false);
});

test('carries another value than the one before', () => {
  const ping = new Ping();
  const first = ping.begin(0);
  ping.pong(first, 1);
  expect(ping.begin(2)).not.toBe(first);
});

test('a pong with another value, a second pong and one that nobody asked for change nothing', () => {
  const ping = new Ping();
  expect(ping.pong(0, 5)).toBeUndefined();
  const value = ping.begin(10);
  expect(ping.pong(value + 1, 20)).toBeUndefined();
  expect(ping.isUnderWay).toBe(true);
  ping.pong(value, 30);
  expect(ping.pong(value, 40)).toBeUndefined();
  expect(ping.rtt).toBe(20);
});

test('that was given up is not answered by its late pong', () => {
  const ping = new Ping();
  const value = ping.begin(0);
  ping.abandon();
  expect(ping.isUnderWay).toBe(false);
  expect(ping.pong(value, 5)).toBeUndefined();
  const next = ping.begin(10);
  expect(ping.pong(value, 11)).toBeUndefined();
  expect(ping.pong(next, 15)).toBe(5);
});

test('the round trip of the path is unknown before the first', () => {
  expect(new Ping().rtt).toBeUndefined();
});

test('it is the least of all that were measured in the last eight spans of 30 s, however many there were in each', () => {
  const SPAN = 30_000;
  const measures = fc.array(fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 20 }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(measures, (spans) => {
      const ping = new Ping();
      const least = spans.map((span) => Math.min(...span));
      for (const [index, span] of spans.entries()) {
        let now = index * SPAN + 100; // the first pong of a span opens it
        for (const roundTrip of span) {
          ping.pong(ping.begin(now - roundTrip), now);
          now += 100;
        }
        expect(ping.rtt).toBe(Math.min(...least.slice(Math.max(0, index - 7), index + 1)));
      }
    }),
  );
});
