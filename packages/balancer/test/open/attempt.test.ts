import { describe, expect, it } from 'vitest';
import { FakeSession, FakeStream, ManualClock, queueDrained } from '../../src/testing.ts';
import { poolWith, slots } from '../support/pool-with.ts';

describe('an acknowledged open', () => {
  const acknowledged = { acknowledged: true };

  it('resolves at the acknowledgement, and gives the stream over without listeners of the pool', async () => {
    const session = new FakeSession();
    const pool = poolWith({}, [session]);
    const opening = pool.open({}, acknowledged);
    const own = new FakeStream();
    const errorListeners = own.listenerCount('error');
    session.openCall(0).resolve(own);
    expect(await Promise.race([opening, queueDrained()])).toBeUndefined();
    expect(slots(pool)).toEqual([1, 0]);
    own.acknowledge();
    expect(await opening).toBe(own);
    expect([own.listenerCount('acknowledged'), own.listenerCount('error')]).toEqual([0, errorListeners]);
    own.destroy();
    await queueDrained();
    expect(slots(pool)).toEqual([0, 0]);
  });

  it('does not wait where the stream is acknowledged already, or does not know', async () => {
    const session = new FakeSession();
    const pool = poolWith({}, [session]);
    const known = new FakeStream();
    known.acknowledged = true;
    const unknowing = new FakeStream();
    Object.defineProperty(unknowing, 'acknowledged', { value: undefined });
    for (const stream of [known, unknowing]) {
      const opening = pool.open({}, acknowledged);
      session.opens.at(-1)?.resolve(stream);
      expect(await opening).toBe(stream);
    }
  });

  it('is tried elsewhere when the peer refuses', async () => {
    const [refusing, good] = [new FakeSession(), new FakeSession()];
    const pool = poolWith({}, [refusing], [good]);
    const opening = pool.openStream({}, acknowledged);
    refusing.openCall(0).resolve().destroy(new Error('refused'));
    while (good.opens.length === 0) await queueDrained();
    const stream = good.openCall(0).resolve();
    await queueDrained();
    stream.acknowledge();
    expect((await opening).stream).toBe(stream);
    expect(slots(pool)).toEqual([1, 0]);
    expect(pool.stats()).toMatchObject({ openAttempts: 2, openFailures: 1 });
  });

  it('is tried elsewhere when the reset comes together with the acknowledgement', async () => {
    const [hasty, good] = [new FakeSession(), new FakeSession().answers()];
    const pool = poolWith({}, [hasty], [good]);
    const opening = pool.openStream({}, acknowledged);
    const stream = hasty.openCall(0).resolve();
    await queueDrained();
    stream.acknowledge();
    stream.destroy(new Error('reset'));
    while (good.streams.length === 0) await queueDrained();
    await queueDrained();
    good.streams[0]?.acknowledge();
    expect((await opening).session.session).toBe(good);
  });

  it('fails when the stream closes unacknowledged', async () => {
    const session = new FakeSession().answers();
    const pool = poolWith({}, [session]);
    const opening = pool.open({}, acknowledged);
    await queueDrained();
    session.streams[0]?.destroy();
    await expect(opening).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_NOT_ACKNOWLEDGED' });
    expect(slots(pool)).toEqual([0, 0]);
  });

  it('fails when the stream had closed before the pool saw it, and does not wait for ever', async () => {
    const session = new FakeSession();
    const pool = poolWith({}, [session]);
    const opening = pool.open({}, acknowledged);
    const closed = new FakeStream();
    closed.destroy();
    await queueDrained();
    session.openCall(0).resolve(closed);
    await expect(opening).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_NOT_ACKNOWLEDGED' });
    expect(slots(pool)).toEqual([0, 0]);
  });

  it('destroys the stream when the caller gives up', async () => {
    const clock = new ManualClock();
    const session = new FakeSession().answers();
    const pool = poolWith({ clock }, [session]);
    const opening = pool.open({}, { acknowledged: true, timeout: 50 });
    await queueDrained();
    clock.advance(50);
    await expect(opening).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT' });
    expect(session.streams[0]?.destroyed).toBe(true);
    await queueDrained();
    expect(slots(pool)).toEqual([0, 0]);
  });
});

describe('an open that its session leaves unsettled at its end', () => {
  it('is tried elsewhere, or rejects', async () => {
    const [ending, other] = [new FakeSession(), new FakeSession().answers()];
    const pool = poolWith({}, [ending, { key: 'ending' }], [other]);
    const first = pool.openStream();
    ending.end();
    expect((await first).session.session).toBe(other);
    const lonely = new FakeSession();
    const alone = poolWith({}, [lonely, { key: 'lonely' }]);
    const second = alone.open();
    lonely.end();
    await expect(second).rejects.toThrow("Session 'lonely' has ended, and this open with it");
    // The session may still answer: nobody has the stream.
    const late = lonely.openCall(0).resolve();
    await queueDrained();
    expect(late.destroyed).toBe(true);
  });
});
