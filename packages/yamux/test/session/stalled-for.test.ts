// For how long a session has waited for its peer in vain.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { YamuxSession, YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { ack, data, fin, pong, rst, windowUpdate } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { facingPeer } from '../support/pairs.ts';
import { runs } from '../support/runs.ts';
import type { WirePeer } from '../support/wire-peer.ts';

const WINDOW = 262_144;

interface Scene {
  readonly clock: ManualClock;
  readonly session: YamuxSession;
  readonly peer: WirePeer;
  open(): Promise<YamuxStream>;
}

function scene(): Scene {
  const clock = new ManualClock();
  const { session, peer } = facingPeer('client', { clock, halfCloseTimeout: 0 });
  session.on('error', () => {});
  const open = async (): Promise<YamuxStream> => (await session.open()).on('error', () => {}).resume();
  return { clock, session, peer, open };
}

test('is 0 while nothing waits, though the window is used up', async () => {
  const { clock, session, open } = scene();
  expect(session.stalledFor).toBe(0);
  const stream = await open();
  stream.write(Buffer.alloc(WINDOW));
  await settle();
  clock.advance(1000);
  expect(session.stalledFor).toBe(0);
  stream.write('x');
  clock.advance(7);
  expect(session.stalledFor).toBe(7);
});

test('goes on while the peer acknowledges and answers pings, and begins anew with credit', async () => {
  const { clock, session, peer, open } = scene();
  const stream = await open();
  stream.write(Buffer.alloc(2 * WINDOW));
  await settle();
  clock.advance(10);
  void session.ping();
  await settle();
  peer.send(ack(1), pong(peer.frames.at(-1)?.length ?? 0));
  await settle();
  clock.advance(10);
  expect(session.stalledFor).toBe(20);
  peer.send(windowUpdate(1, 1000));
  await settle();
  expect(session.stalledFor).toBe(0);
  clock.advance(5);
  expect(session.stalledFor).toBe(5);
  peer.send(windowUpdate(1, WINDOW));
  await settle();
  clock.advance(5);
  expect(session.stalledFor).toBe(0);
});

test('one stream that nobody reads is no stall while the peer serves others', async () => {
  const { clock, session, peer, open } = scene();
  const [stuck, other] = [await open(), await open()];
  stuck.write(Buffer.alloc(2 * WINDOW));
  other.write('a request');
  await settle();
  for (const answer of [data(3, 'an answer'), windowUpdate(3, 100)]) {
    clock.advance(30);
    expect(session.stalledFor).toBe(30);
    peer.send(answer);
    await settle();
    expect(session.stalledFor).toBe(0);
  }
});

test('stays where it is when those that waited are given up, until the peer moves something', async () => {
  const { clock, session, peer, open } = scene();
  for (const [turn, total] of [20, 40, 60].entries()) {
    const stream = await open();
    stream.write(Buffer.alloc(2 * WINDOW));
    peer.send(ack(2 * turn + 1));
    await settle();
    clock.advance(20);
    stream.destroy();
    await settle();
    clock.advance(1000);
    expect(session.stalledFor).toBe(total);
  }
  await open();
  peer.send(data(7, 'x'));
  await settle();
  expect(session.stalledFor).toBe(0);
});

test('a transport that takes nothing is a stall too, from when it took something last', async () => {
  const { clock, session, peer, open } = scene();
  const stream = await open();
  await settle();
  peer.end.other.stall();
  stream.write('x');
  await settle();
  clock.advance(40);
  expect(session.stalledFor).toBe(40);
  peer.end.other.flow();
  await settle();
  expect(session.stalledFor).toBe(0);
});

test('an upload that flows is never stalled for longer than its peer takes from one credit to the next', async () => {
  const { clock, session, peer, open } = scene();
  const stream = await open();
  stream.end(Buffer.alloc(20 * WINDOW));
  let longest = 0;
  for (let credit = 0; credit < 38; credit += 1) {
    await settle();
    clock.advance(3);
    longest = Math.max(longest, session.stalledFor);
    peer.send(windowUpdate(1, WINDOW / 2));
  }
  await settle();
  clock.advance(100);
  expect([longest, session.stalledFor]).toEqual([3, 0]);
  expect(peer.payload(1)).toHaveLength(20 * WINDOW);
});

test('is 0 once the session is over', async () => {
  const { clock, session, open } = scene();
  const stream = await open();
  stream.write(Buffer.alloc(2 * WINDOW));
  await settle();
  clock.advance(10);
  session.destroy();
  expect(session.stalledFor).toBe(0);
});

const nth = fc.nat(100);
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('write' as const), nth, bytes: fc.constantFrom(1, WINDOW, WINDOW + 5) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('credit' as const), nth, bytes: fc.constantFrom(1, 5, WINDOW, 2 * WINDOW) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('end', 'destroy', 'data', 'ack', 'fin', 'rst'), nth }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 50 }) }) },
);

/** What went over one stream, and what may. */
interface Sent {
  readonly stream: YamuxStream;
  written: number;
  credit: number;
  hasEnded: boolean;
  peerHasEnded: boolean;
  isReset: boolean;
}

const newlySent = (stream: YamuxStream): Sent => {
  return { stream, written: 0, credit: WINDOW, hasEnded: false, peerHasEnded: false, isReset: false };
};

const isOver = ({ isReset, hasEnded, peerHasEnded, written, credit }: Sent): boolean =>
  isReset || (hasEnded && peerHasEnded && written <= credit);

function act(step: { readonly do: string; readonly bytes?: number }, sent: Sent, peer: WirePeer): void {
  const { stream } = sent;
  const { id = 0 } = stream;
  const { bytes = 0 } = step;
  if (step.do === 'write' && stream.writable) {
    sent.written += bytes;
    stream.write(Buffer.alloc(bytes));
  } else if (step.do === 'credit') {
    sent.credit += bytes;
    peer.send(windowUpdate(id, bytes));
  } else if (step.do === 'end' && stream.writable) {
    sent.hasEnded = true;
    stream.end();
  } else if (step.do === 'destroy') {
    // After end() what was written still goes out.
    if (!sent.hasEnded) sent.isReset = true;
    stream.destroy();
  } else if (step.do === 'data' && !sent.peerHasEnded) {
    // Nobody is there to whom it could go, and nothing is left to be sent.
    if (stream.destroyed && sent.written <= sent.credit) sent.isReset = true;
    peer.send(data(id, 'x'));
  } else if (step.do === 'ack') {
    peer.send(ack(id));
  } else if (step.do === 'fin') {
    sent.peerHasEnded = true;
    peer.send(fin(id));
  } else if (step.do === 'rst') {
    sent.isReset = true;
    peer.send(rst(id));
  }
}

test('is what a count of bytes and of what the peer did comes to, whatever happens in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
      const { clock, session, peer, open } = scene();
      const all: Sent[] = [];
      let stalled = 0;
      for (const one of steps) {
        const alive = all.filter((sent) => !isOver(sent));
        const sent = 'nth' in one ? alive[one.nth % alive.length] : undefined;
        if (one.do === 'open') all.push(newlySent(await open()));
        else if (sent !== undefined) act(one, sent, peer);
        await settle();
        if (sent !== undefined && (one.do === 'credit' || (one.do === 'data' && !sent.peerHasEnded))) stalled = 0;
        if (one.do === 'pass') {
          clock.advance(one.ms);
          if (all.some((sent) => sent.written > sent.credit && !isOver(sent))) stalled += one.ms;
        }
        expect(session.stalledFor).toBe(stalled);
      }
      session.destroy();
    }),
    runs(60),
  );
});
