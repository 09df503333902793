// Options in the units of yamux-js, on manual time.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Client, defaultConfig, Server } from '../src/index.ts';
import { QUIET } from './support/implementations.ts';
import { eventsOf } from './support/peers.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

const ACK_1 = Buffer.from('000100020000000100000000', 'hex');
const PONG_1 = Buffer.from('000200020000000000000001', 'hex');
const FIN_1 = Buffer.from('000100040000000100000000', 'hex');
const data = (id: number, payload: string): Buffer => {
  const header = Buffer.from('000000000000000000000000', 'hex');
  header.writeUInt32BE(id, 4);
  header.writeUInt32BE(payload.length, 8);
  return Buffer.concat([header, Buffer.from(payload)]);
};

test('what is left out or undefined has its default, which a program may change, and what is unknown is ignored', () => {
  const { acceptBacklog } = defaultConfig;
  defaultConfig.acceptBacklog = 7;
  const config = { keepAliveInterval: 2, logger: undefined, onStream: () => {} };
  const session = new Client(config);
  defaultConfig.acceptBacklog = acceptBacklog;
  expect(session.config).toMatchObject({ acceptBacklog: 7, keepAliveInterval: 2, logger: console.log });
  session.destroy();
});

test('a program may write its times as large as it likes, and its window as small', () => {
  const session = new Client({ ...QUIET, enableKeepAlive: true, keepAliveInterval: 1e9, maxStreamWindowSize: 1 });
  expect(session.isClosed()).toBe(false);
  session.destroy();
});

test('a ping that is not answered within connectionWriteTimeout ends the session: keepalive timeout', async () => {
  const session = new Client({ ...QUIET, enableKeepAlive: true, keepAliveInterval: 30, connectionWriteTimeout: 10 });
  session.resume();
  const events = eventsOf(session);
  await vi.advanceTimersByTimeAsync(1);
  session.write(PONG_1);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(events).toEqual([]);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(events).toEqual(['end', 'keepalive timeout', 'close']);
});

test('a connection that takes nothing is given up after keepAliveInterval and connectionWriteTimeout: connection write timeout', async () => {
  const session = new Client({ ...QUIET, enableKeepAlive: true, keepAliveInterval: 30, connectionWriteTimeout: 10 });
  const events = eventsOf(session);
  session.open().write(Buffer.alloc(200_000));
  await vi.advanceTimersByTimeAsync(1);
  session.write(PONG_1);
  await vi.advanceTimersByTimeAsync(39_900);
  expect(events).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(events).toEqual(['connection write timeout', 'close']);
});

test('without keep-alive it waits for ever', async () => {
  const session = new Client({ ...QUIET, connectionWriteTimeout: 1 });
  const events = eventsOf(session);
  session.open().write(Buffer.alloc(200_000));
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(events).toEqual([]);
  session.destroy();
});

test('a stream that the peer does not answer within streamOpenTimeout fails: i/o deadline reached', async () => {
  const session = new Client({ ...QUIET, streamOpenTimeout: 5 });
  session.resume();
  const [answered, unanswered] = [session.open(), session.open()];
  const heard = [eventsOf(answered), eventsOf(unanswered)];
  session.write(ACK_1);
  await vi.advanceTimersByTimeAsync(5_100);
  expect(heard).toEqual([[], ['i/o deadline reached', 'close']]);
  session.destroy();
});

test('a stream that was closed, and of which nobody reads what came, is destroyed after streamCloseTimeout', async () => {
  const session = new Client({ ...QUIET, streamCloseTimeout: 5 });
  session.resume();
  const stream = session.open();
  const heard = eventsOf(stream);
  session.write(data(1, 'unread'));
  session.write(FIN_1);
  await vi.advanceTimersByTimeAsync(5_100);
  expect(heard).toEqual([]);
  stream.close();
  await vi.advanceTimersByTimeAsync(5_100);
  expect(heard).toEqual(['close']);
  session.destroy();
});

test('with a streamCloseTimeout of 0 it waits for ever', async () => {
  const session = new Client({ ...QUIET, streamCloseTimeout: 0 });
  session.resume();
  const stream = session.open();
  const heard = eventsOf(stream);
  session.write(data(1, 'unread'));
  session.write(FIN_1);
  stream.close();
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(heard).toEqual([]);
  session.destroy();
});

test('the peer may send so much as maxStreamWindowSize was at first, and no window grows past it', async () => {
  const sent: string[] = [];
  const session = new Server(() => {}, { ...QUIET, maxStreamWindowSize: 262_144 });
  session.on('data', (chunk: Buffer) => sent.push(chunk.toString('hex')));
  session.write(Buffer.from('000100010000000100000000', 'hex'));
  await vi.advanceTimersByTimeAsync(1);
  expect(sent).toEqual(['000100020000000100000000']);
  session.destroy();
});
