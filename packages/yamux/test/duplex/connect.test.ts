// A stream at once, as net.connect() gives a socket: it is opened later, or never.

import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { YamuxStream } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { ack, goAway } from '../support/frames.ts';
import { facingPeer } from '../support/pairs.ts';

/** What the stream tells, in order. */
function eventsOf(stream: YamuxStream): string[] {
  const events: string[] = [];
  for (const event of ['connect', 'ready', 'end', 'finish', 'close']) stream.on(event, () => events.push(event));
  stream.on('error', (error) => {
    const { code } = error as { code?: unknown };
    events.push(`error ${typeof code === 'string' ? code : error.name}`);
  });
  return events;
}

/** A session whose one slot is taken by stream 1. */
function busy(): ReturnType<typeof facingPeer> {
  const scene = facingPeer('client', { maxUnacknowledged: 1 });
  scene.session.connect().on('error', () => {});
  return scene;
}

describe('connect()', () => {
  test("gives a stream that is connecting, and then tells 'connect' and 'ready'", async () => {
    const { session, peer } = facingPeer('client');
    const stream = session.connect();
    const events = eventsOf(stream);
    expect([stream.connecting, stream.pending, stream.readyState]).toEqual([true, true, 'opening']);
    await once(stream, 'ready');
    expect([stream.connecting, stream.id, stream.readyState]).toEqual([false, 1, 'open']);
    expect(events).toEqual(['connect', 'ready']);
    expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0']);
  });

  test('waits for a slot, and what is written meanwhile goes out behind the SYN', async () => {
    const { session, peer } = busy();
    const stream = session.connect();
    const events = eventsOf(stream);
    stream.write('early ');
    stream.end('bird');
    expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0']);
    expect([stream.connecting, stream.id, events]).toEqual([true, 0, []]);
    peer.send(ack(1));
    expect(await peer.heard()).toEqual(['CREDIT SYN 3 +0', 'DATA 3 "early "', 'DATA 3 "bird"', 'CREDIT FIN 3 +0']);
    expect(events).toEqual(['connect', 'ready', 'finish']);
  });

  test('keeps its place among open() calls', async () => {
    const { session, peer } = busy();
    const opened = session.open();
    const stream = session.connect();
    peer.send(ack(1), ack(3));
    await settle();
    expect([(await opened).id, stream.id]).toEqual([3, 5]);
  });

  test('takes allowHalfOpen of its own', () => {
    const { session } = facingPeer('client');
    expect(session.connect({ allowHalfOpen: false }).allowHalfOpen).toBe(false);
    expect(session.connect().allowHalfOpen).toBe(true);
  });
});

describe('a stream that waits for its slot', () => {
  test('is taken back by destroy(): the peer never hears of it, and the next gets its place', async () => {
    const { session, peer } = busy();
    const stream = session.connect();
    const events = eventsOf(stream);
    const next = session.connect();
    stream.destroy();
    await settle();
    expect(events).toEqual(['close']);
    peer.send(ack(1));
    await settle();
    expect(next.id).toBe(3);
    expect((await peer.heard()).filter((line) => line.includes('SYN'))).toEqual(['CREDIT SYN 1 +0', 'CREDIT SYN 3 +0']);
  });

  test('is not connecting any more once it is destroyed', () => {
    const { session } = busy();
    const stream = session.connect();
    stream.destroy();
    expect([stream.connecting, stream.readyState]).toEqual([false, 'closed']);
  });

  test('fails what was written on it when it is destroyed: nothing of it was sent', async () => {
    const { session } = busy();
    const stream = session.connect();
    const outcomes: unknown[] = [];
    for (const text of ['one', 'two']) {
      stream.write(text, (error) => outcomes.push((error as { code?: string } | null | undefined)?.code ?? 'done'));
    }
    stream.destroy();
    await settle();
    expect(outcomes.length).toBe(2);
    expect(outcomes).not.toContain('done');
  });

  test("fails with its signal's reason", async () => {
    const { session, peer } = busy();
    const controller = new AbortController();
    const events = eventsOf(session.connect({ signal: controller.signal }));
    controller.abort();
    await settle();
    expect(events).toEqual(['error AbortError', 'close']);
    peer.send(ack(1));
    expect(await peer.heard()).toEqual(['CREDIT SYN 1 +0']);
  });

  test('fails when the peer takes no more streams, when the session closes and when it ends', async () => {
    const [gone, closing, over] = [busy(), busy(), busy()];
    const events = [gone, closing, over].map(({ session }) => eventsOf(session.connect()));
    gone.peer.send(goAway(0));
    void closing.session.close();
    over.session.destroy();
    await settle();
    expect(events).toEqual([
      ['error ERR_YAMUX_GO_AWAY', 'close'],
      ['error ERR_YAMUX_SESSION_CLOSED', 'close'],
      ['error ERR_YAMUX_SESSION_CLOSED', 'close'],
    ]);
  });
});

describe('a stream that is refused at once', () => {
  test('by a closed session tells it when somebody can listen', async () => {
    const { session } = facingPeer('client');
    session.destroy();
    const stream = session.connect();
    const events = eventsOf(stream);
    await settle();
    expect(events).toEqual(['error ERR_YAMUX_SESSION_CLOSED', 'close']);
    expect(stream.id).toBe(0);
  });

  test('by a signal that has aborted uses no id', async () => {
    const { session } = facingPeer('client');
    const events = eventsOf(session.connect({ signal: AbortSignal.abort() }));
    await turn();
    expect(events).toEqual(['error AbortError', 'close']);
    expect((await session.open()).id).toBe(1);
  });
});
