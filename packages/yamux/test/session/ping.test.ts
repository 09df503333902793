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

test('the round trip of the path is the least of the last eight, and unknown before the first', () => {
  expect(new Ping().rtt).toBeUndefined();
  fc.assert(
    fc.property(fc.array(fc.nat(10_000), { minLength: 1, maxLength: 30 }), (roundTrips) => {
      const ping = new Ping();
      let now = 0;
      for (const [index, roundTrip] of roundTrips.entries()) {
        ping.pong(ping.begin(now), now + roundTrip);
        now += roundTrip;
        expect(ping.rtt).toBe(Math.min(...roundTrips.slice(Math.max(0, index - 7), index + 1)));
      }
    }),
  );
});
