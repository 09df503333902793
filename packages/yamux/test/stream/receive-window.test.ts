import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReceiveWindow } from '../../src/stream/receive-window.ts';

const SIZE = 262_144;

test('starts with all of its 262144 bytes as credit', () => {
  const { size, credit, held, isGrantDue } = new ReceiveWindow(0);
  expect({ size, credit, held, isGrantDue }).toEqual({ size: SIZE, credit: SIZE, held: 0, isGrantDue: false });
});

test('takes what was granted to the last byte, and refuses one more without a change', () => {
  const window = new ReceiveWindow(0);
  expect(window.announce(SIZE)).toBe(true);
  expect(window.announce(1)).toBe(false);
  expect(window.announce(0)).toBe(true);
  expect(window.credit).toBe(0);
  expect(window.held).toBe(SIZE);
});

test('gives back at half the window, all that was consumed at once', () => {
  const window = new ReceiveWindow(0);
  window.announce(200_000);
  window.consume(SIZE / 2 - 1);
  expect(window.isGrantDue).toBe(false);
  window.consume(1);
  expect(window.isGrantDue).toBe(true);
  expect(window.grant(0)).toBe(SIZE / 2);
  expect(window.isGrantDue).toBe(false);
  expect(window.grant(0)).toBe(0);
});

test('receiving alone gives nothing back', () => {
  const window = new ReceiveWindow(0);
  window.announce(SIZE);
  expect(window.isGrantDue).toBe(false);
  expect(window.grant(0)).toBe(0);
  expect(window.credit).toBe(0);
});

test('no byte of credit is lost or made: credit, held and owed are the size after any sequence', () => {
  const step = fc.record({
    kind: fc.constantFrom('announce', 'announce', 'consume', 'consume', 'grow', 'grant', 'grantIfDue'),
    bytes: fc.nat(SIZE * 2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const window = new ReceiveWindow(0);
      let received = 0;
      let consumed = 0;
      let granted = SIZE;
      let growth = 0;
      for (const { kind, bytes } of steps) {
        if (kind === 'announce') {
          const fits = bytes <= granted - received;
          expect(window.announce(bytes)).toBe(fits);
          if (fits) received += bytes;
        } else if (kind === 'consume') {
          const taken = bytes % (received - consumed + 1);
          window.consume(taken);
          consumed += taken;
        } else if (kind === 'grow') {
          window.grow(bytes);
          growth += bytes;
        } else if (kind === 'grant' || window.isGrantDue) {
          granted += window.grant(0);
          expect(granted).toBe(SIZE + growth + consumed);
        }
        const owed = SIZE + growth + consumed - granted;
        expect(window.size).toBe(SIZE + growth);
        expect(window.credit).toBe(granted - received);
        expect(window.held).toBe(received - consumed);
        expect(window.credit + window.held + owed).toBe(window.size);
        expect(window.isGrantDue).toBe(owed >= window.size / 2);
      }
    }),
  );
});

test('a peer that keeps sending never runs dry while half a window is consumed at a time', () => {
  const window = new ReceiveWindow(0);
  let frames = 0;
  for (let sent = 0; sent < 100 * SIZE; sent += SIZE / 8) {
    expect(window.announce(SIZE / 8)).toBe(true);
    window.consume(SIZE / 8);
    if (window.isGrantDue) {
      window.grant(0);
      frames += 1;
    }
  }
  // One frame per half window, not per frame received.
  expect(frames).toBe(200);
});

describe('growth', () => {
  const ROUND_TRIP = 50;
  /** A window of which half was consumed, granted last at 0. */
  const halfConsumed = (): ReceiveWindow => {
    const window = new ReceiveWindow(0);
    window.announce(SIZE / 2);
    window.consume(SIZE / 2);
    return window;
  };

  test('is due when half the window was consumed within four round trips: it doubles', () => {
    expect(halfConsumed().growthDue(4 * ROUND_TRIP, ROUND_TRIP, 64 * SIZE)).toBe(SIZE);
    expect(halfConsumed().growthDue(4 * ROUND_TRIP + 1, ROUND_TRIP, 64 * SIZE)).toBe(0);
  });

  test('is counted from the last grant', () => {
    const window = halfConsumed();
    window.grant(1000);
    expect(window.growthDue(1000 + 4 * ROUND_TRIP, ROUND_TRIP, 64 * SIZE)).toBe(SIZE);
    expect(window.growthDue(1001 + 4 * ROUND_TRIP, ROUND_TRIP, 64 * SIZE)).toBe(0);
  });

  test('ends at the largest size', () => {
    expect(halfConsumed().growthDue(0, ROUND_TRIP, SIZE + 100)).toBe(100);
    expect(halfConsumed().growthDue(0, ROUND_TRIP, SIZE)).toBe(0);
  });

  test('goes to the peer with the next grant, as credit beside what was consumed', () => {
    const window = halfConsumed();
    window.grow(SIZE);
    expect(window.size).toBe(2 * SIZE);
    expect(window.growth).toBe(SIZE);
    expect(window.held).toBe(0);
    expect(window.grant(0)).toBe(SIZE + SIZE / 2);
    expect(window.credit).toBe(2 * SIZE);
  });
});
