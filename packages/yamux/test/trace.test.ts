import { spawnSync } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterEach, expect, test } from 'vitest';
import type { FrameMessage, StreamMessage } from '../src/index.ts';
import { settle } from './support/duplex-pair.ts';
import { data, FIN, SYN } from './support/frames.ts';
import { closed, facingPeer } from './support/pairs.ts';

const subscriptions: Array<() => void> = [];

afterEach(() => {
  for (const unsubscribe of subscriptions.splice(0)) unsubscribe();
});

function subscribe<T>(name: string): T[] {
  const messages: T[] = [];
  const listener = (message: unknown): void => void messages.push(message as T);
  diagnostics.subscribe(name, listener);
  subscriptions.push(() => diagnostics.unsubscribe(name, listener));
  return messages;
}

test('diagnostics_channel tells of sessions, streams and frames', async () => {
  const sessions = [subscribe('yamux:session:open'), subscribe('yamux:session:close')];
  const streams = [subscribe<StreamMessage>('yamux:stream:open'), subscribe<StreamMessage>('yamux:stream:close')];
  const received = subscribe<FrameMessage>('yamux:frame:received');
  const sent = subscribe<FrameMessage>('yamux:frame:sent');
  const { session, peer } = facingPeer('server');
  peer.send(data(1, 'hello', SYN | FIN));
  const stream = await session.accept();
  stream.resume().end('hi');
  await settle();
  const ended = closed(session);
  session.destroy();
  await ended;
  expect(sessions).toEqual([[{ session }], [{ session }]]);
  expect(streams).toEqual([[{ session, stream }], [{ session, stream }]]);
  expect(received).toEqual([{ session, type: 0, flags: SYN | FIN, streamId: 1, length: 5 }]);
  expect(sent.map(({ type, flags, length }) => [type, flags, length])).toEqual([
    [1, 2, 0],
    [0, 0, 2],
    [1, 4, 0],
  ]);
});

test('NODE_DEBUG=yamux prints a line a frame, in both directions', () => {
  const script = fileURLToPath(new URL('./support/traced-session.ts', import.meta.url));
  const { stderr } = spawnSync(process.execPath, ['--conditions=@zishuo/source', '--import', 'tsx', script], {
    env: { ...process.env, NODE_DEBUG: 'yamux' },
    encoding: 'utf8',
  });
  const lines = stderr.split('\n').map((line) => line.replace(/^YAMUX \d+: /, ''));
  expect(lines).toContain('s#1 -> WINDOW_UPDATE SYN id=1 len=0');
  expect(lines).toContain('s#1 -> DATA id=1 len=5 window=262139');
  expect(lines).toContain('s#2 <- DATA id=1 len=5 window=262139');
  expect(lines).toContain('s#2 -> WINDOW_UPDATE ACK id=1 len=0');
  expect(lines).toContain('s#1 <- WINDOW_UPDATE FIN id=1 len=0');
});

test('util.inspect() of a session and of a stream reads well', async () => {
  const { session, peer } = facingPeer('server');
  peer.send(data(1, 'hello', SYN));
  const stream = await session.accept();
  expect(inspect(session)).toMatch(/^YamuxSession \{\n {2}role: 'server',\n {2}state: 'open',\n {2}streams: 1,/);
  expect(inspect(session)).toContain('keptStreams: 0,\n  unreadBytes: 5,');
  expect(inspect(stream).replace(/\s+/g, ' ')).toBe(
    "YamuxStream { id: 1, direction: 'inbound', state: 'open', acknowledged: true, bytesRead: 5, bytesWritten: 0, " +
      'readableLength: 0, unreadBytes: 5, writableLength: 0, sendCredit: 262144, receiveCredit: 262139 }',
  );
  // Node asks for what waits when the application can listen.
  await settle();
  expect(inspect(stream)).toContain('readableLength: 5,\n  unreadBytes: 0,');
});
