// A worker for workerd: two sessions in it, over a WebSocketPair. What it answers is what went wrong, or nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { client, server } from '@zishuo/yamux-websocket';

const PAYLOAD = new Uint8Array(5 * 2 ** 20).map((_, index) => (index * 7) % 251);
const echo = (stream) => pipeline(stream, stream).catch(() => {});

async function roundTrips() {
  const { 0: near, 1: far } = new WebSocketPair();
  near.accept();
  far.accept();
  const session = client(near);
  const other = server(far);
  other.on('stream', echo);
  const whole = await session.open();
  assert.equal(Buffer.compare(await buffer(whole.end(PAYLOAD)), PAYLOAD), 0);
  const texts = Array.from({ length: 100 }, (_, number) => `stream ${number}`);
  const echoed = texts.map(async (one) => text((await session.open()).end(one)));
  assert.deepEqual(await Promise.all(echoed), texts);
  assert.equal(typeof (await session.ping()), 'number');

  other.off('stream', echo);
  const [stream, accepted] = await Promise.all([session.open(), other.accept()]);
  accepted.reset(7);
  const [error] = await once(stream, 'error');
  assert.equal(error.errorCode, 7);

  const told = once(session, 'goAway');
  await other.goAway();
  assert.deepEqual(await told, [0]);
  await assert.rejects(session.open(), { code: 'ERR_YAMUX_GO_AWAY' });
  await session.close();
  await other.closed;
  assert.equal(other.errored, null);
}

export default {
  async fetch() {
    try {
      await roundTrips();
      return new Response('');
    } catch (error) {
      return new Response(error.stack);
    }
  },
};
