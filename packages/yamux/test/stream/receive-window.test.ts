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

test('gives back half the window as soon as half was consumed', () => {
  const window = new ReceiveWindow(0);
  window.announce(200_000);
  window.consume(SIZE / 2 - 1);
  expect(window.isGrantDue).toBe(false);
  window.consume(1);
  expect(window.isGrantDue).toBe(true);
  expect(window.grant()).toBe(SIZE / 2);
  expect(window.isGrantDue).toBe(false);
  expect(window.grant()).toBe(0);
});

test('gives back whole halves, however it was consumed: a peer that used all of it up gets all of it again', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: SIZE }), { minLength: 1 }), (parts) => {
      const window = new ReceiveWindow(0);
      for (let round = 0; round < 3; round += 1) {
        let left = window.credit;
        expect(left).toBe(SIZE);
        window.announce(left);
        for (let index = 0; left > 0; index += 1) {
          const part = Math.min(left, parts[index % parts.length] as number);
          window.consume(part);
          left -= part;
          if (window.isGrantDue) expect(window.grant() % (SIZE / 2)).toBe(0);
        }
      }
    }),
  );
});

test('gives back all that is owed when nobody reads any more', () => {
  const window = new ReceiveWindow(0);
  window.announce(100);
  window.consume(100);
  expect(window.grant()).toBe(0);
  expect(window.grantAll()).toBe(100);
});

test('receiving alone gives nothing back', () => {
  const window = new ReceiveWindow(0);
  window.announce(SIZE);
  expect(window.isGrantDue).toBe(false);
  expect(window.grant()).toBe(0);
  expect(window.credit).toBe(0);
});

test('no byte of credit is lost or made: credit, held and owed are the size after any sequence', () => {
  const step = fc.record({
    kind: fc.constantFrom('announce', 'announce', 'consume', 'consume', 'grow', 'shrink', 'grant', 'grantAll'),
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
          growth += bytes;
          granted += window.grow(bytes);
        } else if (kind === 'shrink') {
          growth -= window.shrink(bytes);
        } else if (kind === 'grant') {
          granted += window.grant();
          expect(SIZE + growth + consumed - granted).toBeLessThan(Math.max(1, Math.floor(window.size / 2)));
        } else {
          granted += window.grantAll();
          expect(granted).toBe(SIZE + growth + consumed);
        }
        const owed = SIZE + growth + consumed - granted;
        expect(window.size).toBe(SIZE + growth);
        expect(window.credit).toBe(granted - received);
        expect(window.held).toBe(received - consumed);
        expect(window.credit + window.held + owed).toBe(window.size);
        expect(window.isGrantDue).toBe(owed >= Math.floor(window.size / 2));
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
      window.grant();
      frames += 1;
    }
  }
  // One frame per half window, not per frame received.
  expect(frames).toBe(200);
});

describe('its size', () => {
  const ROUND_TRIP = 50;
  const MAX = 64 * SIZE;

  /** The peer sends `bytes` as it may, and all is consumed and granted again. */
  const carry = (window: ReceiveWindow, bytes: number): void => {
    for (let left = bytes; left > 0; ) {
      const part = Math.min(left, window.credit, SIZE / 8);
      window.announce(part);
      window.consume(part);
      window.grant();
      left -= part;
    }
  };

  /** A window through which `bytes` were consumed in `ms`, and that was the end of a measure. */
  const measured = (bytes: number, ms: number): ReceiveWindow => {
    const window = new ReceiveWindow(0);
    carry(window, bytes);
    expect(window.measure(ms, ROUND_TRIP)).toBe(true);
    return window;
  };

  test('is measured over a whole window at least', () => {
    const window = new ReceiveWindow(0);
    carry(window, SIZE - 1);
    expect(window.measure(1000, ROUND_TRIP)).toBe(false);
    carry(window, 1);
    expect(window.measure(1000, ROUND_TRIP)).toBe(true);
    expect(window.measure(2000, ROUND_TRIP)).toBe(false);
  });

  test('is measured over a round trip at least, and over 20 ms where that is shorter', () => {
    const window = new ReceiveWindow(0);
    carry(window, 10 * SIZE);
    expect(window.measure(ROUND_TRIP - 1, ROUND_TRIP)).toBe(false);
    expect(window.measure(19, 1)).toBe(false);
    expect(window.measure(20, 1)).toBe(true);
  });

  test('becomes twice what the path holds', () => {
    expect(measured(SIZE, ROUND_TRIP / 0.75).changeWanted(ROUND_TRIP, MAX)).toBe(SIZE / 2);
  });

  test('doubles at most, so also when the window is what holds the stream back', () => {
    expect(measured(SIZE, ROUND_TRIP).changeWanted(ROUND_TRIP, MAX)).toBe(SIZE);
    expect(measured(100 * SIZE, ROUND_TRIP).changeWanted(ROUND_TRIP, MAX)).toBe(SIZE);
  });

  test('stays when something else holds the stream back', () => {
    expect(measured(SIZE, 2 * ROUND_TRIP).changeWanted(ROUND_TRIP, MAX)).toBe(0);
    expect(measured(SIZE, 100 * ROUND_TRIP).changeWanted(ROUND_TRIP, MAX)).toBe(0);
  });

  test('ends at the largest size', () => {
    expect(measured(SIZE, ROUND_TRIP).changeWanted(ROUND_TRIP, SIZE + 100)).toBe(100);
    expect(measured(SIZE, ROUND_TRIP).changeWanted(ROUND_TRIP, SIZE)).toBe(0);
  });

  test('goes by the fastest measure: a pause takes nothing away', () => {
    const window = measured(4 * SIZE, ROUND_TRIP);
    carry(window, SIZE);
    expect(window.measure(10_000, ROUND_TRIP)).toBe(true);
    expect(window.changeWanted(ROUND_TRIP, MAX)).toBe(SIZE);
  });

  test('shrinks when the path turns out to be shorter by a third, and never below what it was at first', () => {
    const window = measured(4 * SIZE, ROUND_TRIP);
    window.grow(7 * SIZE);
    expect(window.changeWanted(ROUND_TRIP, MAX)).toBe(0);
    expect(window.changeWanted(0.7 * ROUND_TRIP, MAX)).toBe(0);
    expect(window.changeWanted(0.5 * ROUND_TRIP, MAX)).toBe(-4 * SIZE);
    expect(window.changeWanted(0, MAX)).toBe(-7 * SIZE);
  });

  test('grows by credit for the peer', () => {
    const window = new ReceiveWindow(0);
    window.announce(1000);
    window.consume(600);
    expect(window.grow(SIZE)).toBe(SIZE);
    expect([window.size, window.growth]).toEqual([2 * SIZE, SIZE]);
    expect([window.credit, window.held]).toEqual([2 * SIZE - 1000, 400]);
  });

  test('shrinks by credit that is withheld, and so by no more than is owed', () => {
    const window = new ReceiveWindow(0);
    window.grow(SIZE);
    window.announce(1000);
    window.consume(600);
    expect(window.shrink(SIZE)).toBe(600);
    expect(window.size).toBe(2 * SIZE - 600);
    expect(window.held).toBe(400);
    expect(window.grantAll()).toBe(0);
  });
});
