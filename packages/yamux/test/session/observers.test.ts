// Who listens on a diagnostics_channel is called in the middle of what is told, and may end the session there.

import diagnostics from 'node:diagnostics_channel';
import { afterEach, expect, test } from 'vitest';
import type { YamuxSession } from '../../src/index.ts';
import { settle } from '../support/duplex-pair.ts';
import { ack, syn } from '../support/frames.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { facingPeer } from '../support/pairs.ts';
import { uncaughtIn } from '../support/uncaught.ts';

let unsubscribe: (() => void) | undefined;

afterEach(() => unsubscribe?.());

interface Message {
  readonly session: YamuxSession;
  readonly type?: number;
}

/** Destroys the session at the first message for which `matters`. */
function destroyAt(name: string, matters: (message: Message) => boolean = () => true): void {
  const listener = (message: unknown): void => {
    if (!matters(message as Message)) return;
    unsubscribe?.();
    (message as Message).session.destroy();
  };
  unsubscribe = () => void diagnostics.unsubscribe(name, listener);
  diagnostics.subscribe(name, listener);
}

test('a session that is destroyed when it is told of has no timer left', () => {
  const clock = new ManualClock();
  destroyAt('yamux:session:open');
  const { session } = facingPeer('client', { clock, keepAliveInterval: 30_000 });
  expect([session.state, clock.pending]).toEqual(['closed', 0]);
});

test('a stream whose session is destroyed when the stream is told of errors where it is awaited', async () => {
  const { session } = facingPeer('client');
  const heard: unknown[] = [];
  destroyAt('yamux:stream:open');
  const uncaught = await uncaughtIn(() => {
    // In a turn of its own: what comes on the next tick is then told before any promise goes on.
    setImmediate(() => {
      void session.open().then((stream) => stream.on('error', ({ code }: NodeJS.ErrnoException) => heard.push(code)));
    });
  });
  expect(uncaught).toEqual([]);
  expect(heard).toEqual(['ERR_YAMUX_SESSION_CLOSED']);
});

test.each([
  ['a stream', 'yamux:stream:open', 'waits'],
  ['a stream', 'yamux:stream:open', 'comes late'],
  ['its ACK', 'yamux:frame:sent', 'waits'],
  ['its ACK', 'yamux:frame:sent', 'comes late'],
])(
  'a session that is destroyed when %s is told of on %s gives the stream to an accept() that %s',
  async (_what, name, when) => {
    const { session, peer } = facingPeer('server');
    const heard: unknown[] = [];
    const accept = (): void =>
      void session.accept().then((stream) => stream.on('error', ({ code }: NodeJS.ErrnoException) => heard.push(code)));
    if (when === 'waits') accept();
    else peer.send(syn(1));
    await settle();
    destroyAt(name);
    const uncaught = await uncaughtIn(() => {
      if (when === 'waits') peer.send(syn(1));
      // In a turn of its own: what comes on the next tick is then told before any promise goes on.
      else setImmediate(accept);
    });
    expect(uncaught).toEqual([]);
    expect(heard).toEqual(['ERR_YAMUX_SESSION_CLOSED']);
    expect(session.stats()).toMatchObject({ streams: 0, keptStreams: 0 });
  },
);

test.each([
  ['large', 8192],
  ['small', 5],
])(
  'a session that is destroyed when a %s payload is told of sends no more, and fails the write',
  async (_kind, size) => {
    const { session, peer } = facingPeer('client');
    const stream = await session.open();
    stream.on('error', () => {});
    peer.send(ack(1));
    await settle();
    destroyAt('yamux:frame:sent', ({ type }) => type === 0);
    const outcomes: unknown[] = [];
    const uncaught = await uncaughtIn(() => {
      stream.write(Buffer.alloc(size), (error) => outcomes.push((error as NodeJS.ErrnoException | null)?.code));
    });
    expect(uncaught).toEqual([]);
    expect(outcomes).toHaveLength(1);
    expect(session.stats()).toMatchObject({ streams: 0, keptStreams: 0, unreadBytes: 0 });
  },
);

test('a session that is destroyed when a FIN is told of ends its stream once', async () => {
  const { session } = facingPeer('client');
  const stream = await session.open();
  const closes: unknown[] = [];
  stream.on('error', () => {});
  const count = (message: unknown): void => void closes.push(message);
  diagnostics.subscribe('yamux:stream:close', count);
  await settle();
  destroyAt('yamux:frame:sent');
  stream.end();
  await settle();
  diagnostics.unsubscribe('yamux:stream:close', count);
  expect(closes).toHaveLength(1);
});
