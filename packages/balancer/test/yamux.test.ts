// Real sessions over real sockets: what the pool promises must hold without a fake in sight.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { client, server, type YamuxSession } from '@zishuo/yamux';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionRef } from '../src/member/session-ref.ts';
import type { OpenedStream } from '../src/opened-stream.ts';
import type { OpenOptions } from '../src/options.ts';
import { SessionPool } from '../src/pool.ts';
import type { RoutingContext } from '../src/routing.ts';

interface Tunnel {
  readonly near: YamuxSession;
  readonly far: YamuxSession;
  readonly socket: Socket;
  readonly ref: SessionRef;
}

describe('a pool of Yamux sessions', () => {
  let listener: Server;
  let pool: SessionPool;
  const tunnels: Tunnel[] = [];

  beforeEach(async () => {
    pool = new SessionPool({ strategy: 'least-conn' });
    listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
  });

  afterEach(async () => {
    pool.destroy();
    for (const { near, far } of tunnels.splice(0)) {
      far.on('error', () => {});
      near.on('error', () => {});
      near.destroy();
      far.destroy();
    }
    listener.close();
    await once(listener, 'close');
  });

  /** A session whose peer sends everything back, and says who it is before. */
  async function tunnel(key: string, acceptBacklog?: number): Promise<Tunnel> {
    const accepted = once(listener, 'connection') as Promise<[Socket]>;
    const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
    const far = server((await accepted)[0], { acceptBacklog });
    if (acceptBacklog !== 0) {
      far.on('stream', (stream) => {
        stream.on('error', () => {});
        stream.write(`${key}:`);
        stream.pipe(stream);
      });
    }
    const near = client(socket);
    const made = { near, far, socket, ref: pool.add(near, { key, id: key }) };
    tunnels.push(made);
    return made;
  }

  /** A stream that the end of the test may cut. */
  async function take(routing?: RoutingContext, options?: OpenOptions): Promise<OpenedStream> {
    const taken = await pool.openStream(routing, options);
    taken.stream.on('error', () => {});
    return taken;
  }

  async function echo(message: string): Promise<string> {
    const { stream } = await take({}, { acknowledged: true });
    stream.end(message);
    return text(stream);
  }

  const idle = async (): Promise<void> => {
    while (pool.stats().activeStreams > 0) await new Promise((resolve) => setImmediate(resolve));
  };

  it('serves a burst evenly, and holds no slot afterwards', async () => {
    for (const key of ['a', 'b', 'c']) await tunnel(key);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => echo(`hello ${index}`)));
    const served = new Map<string, number>();
    answers.forEach((answer, index) => {
      const [key = '', message] = answer.split(':');
      expect(message).toBe(`hello ${index}`);
      served.set(key, (served.get(key) ?? 0) + 1);
    });
    expect([...served.values()]).toEqual([10, 10, 10]);
    await idle();
    expect(pool.stats()).toMatchObject({ activeStreams: 0, pendingStreams: 0, openAttempts: 30, openFailures: 0 });
  });

  it('removes a session whose transport dies; its streams fail, and their callers find the others at once', async () => {
    const [dying] = [await tunnel('dying'), await tunnel('living')];
    dying.far.on('error', () => {});
    const streams = await Promise.all(Array.from({ length: 4 }, () => take({}, { acknowledged: true })));
    const retried = streams
      .filter(({ session }) => session === dying.ref)
      .map(async ({ stream }) => {
        await new Promise((resolve) => stream.once('error', resolve));
        return take();
      });
    expect(retried).toHaveLength(2);
    const ended = new Promise<void>((resolve) => dying.near.once('close', resolve));
    dying.socket.destroy(new Error('cable cut'));
    for (const { session } of await Promise.all(retried)) expect(session.key).toBe('living');
    await ended;
    expect(dying.ref.removed).toBe(true);
    expect(pool.stats()).toMatchObject({ sessionsTotal: 1, activeStreams: 4, openFailures: 0 });
  });

  it('drains a session whose peer says GoAway, and serves what runs', async () => {
    const [leaving] = [await tunnel('leaving'), await tunnel('staying')];
    const { stream } = await take({ sessionKey: 'leaving' }, { acknowledged: true });
    const goAway = once(leaving.near, 'goAway');
    await leaving.far.goAway();
    await goAway;
    expect(leaving.ref.snapshot()).toMatchObject({ draining: true, drainReason: 'go-away', activeStreams: 1 });
    expect([await echo('x'), await echo('y')]).toEqual(['staying:x', 'staying:y']);
    const { done } = leaving.ref.drain('waited for');
    stream.end('z');
    expect(await text(stream)).toBe('leaving:z');
    expect(await done).toEqual({ outcome: 'drained', remaining: 0 });
  });

  it('goes on opening on a session to which we said goAway() ourselves: only the peer was told to open no more', async () => {
    const leaving = await tunnel('leaving');
    await leaving.near.goAway();
    expect(leaving.near.state).toBe('draining');
    expect(await echo('x')).toBe('leaving:x');
  });

  it('opens elsewhere what a session refuses, when asked to wait for the acknowledgement', async () => {
    await tunnel('refusing', 0);
    await tunnel('accepting');
    const { stream, session } = await take({}, { acknowledged: true });
    expect(session.key).toBe('accepting');
    stream.end('x');
    expect(await text(stream)).toBe('accepting:x');
    expect(pool.stats()).toMatchObject({ openAttempts: 2, openFailures: 1 });
  });

  it('resets what is left at the end of a drain, and closes the session if asked to', async () => {
    const { near, ref } = await tunnel('a');
    const { stream } = await take({}, { acknowledged: true });
    const failed = new Promise((resolve) => stream.once('error', resolve));
    const { done } = ref.drain({ reason: 'update', timeout: 0, onTimeout: 'close' });
    expect(await done).toEqual({ outcome: 'timeout', remaining: 1 });
    expect(await failed).toMatchObject({ code: 'ERR_YAMUX_POOL_DRAIN_TIMEOUT' });
    await once(near, 'close');
    expect(pool.sessions()).toEqual([]);
  });

  it('notices a session that its owner is closing, and goes elsewhere', async () => {
    const [closing] = [await tunnel('closing'), await tunnel('open')];
    const { stream: held } = await take({ sessionKey: 'closing' }, { acknowledged: true });
    const closed = closing.near.close();
    const taken = await Promise.all([take(), take(), take()]);
    expect(taken.map(({ session }) => session.key)).toEqual(['open', 'open', 'open']);
    expect(closing.ref.snapshot()).toMatchObject({ draining: true, drainReason: 'session-closed' });
    held.end();
    await text(held);
    await closed;
    expect(closing.ref.removed).toBe(true);
  });
});
