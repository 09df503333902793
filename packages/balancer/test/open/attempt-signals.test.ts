import { describe, expect, it } from 'vitest';
import { FakeSession, type FakeStream, ManualClock, queueDrained } from '../../src/testing.ts';
import { poolWith } from '../support/pool-with.ts';

const limited = { timeout: 100 };

describe('the signal that a session is given', () => {
  const make = () => {
    const clock = new ManualClock();
    const session = new FakeSession();
    const pool = poolWith({ clock }, [session]);
    const signalOf = (call: number) => session.openCall(call).signal;
    const serve = async (): Promise<FakeStream> => {
      const opening = pool.open({}, limited);
      session.openCall(session.opens.length - 1).resolve();
      return (await opening) as FakeStream;
    };
    return { clock, session, pool, signalOf, serve };
  };

  it('is that of an earlier attempt whose stream is closed', async () => {
    const { signalOf, serve } = make();
    (await serve()).destroy();
    await queueDrained();
    await serve();
    expect(signalOf(1)).toBe(signalOf(0));
  });

  it('is no other’s while a stream that came of it is open', async () => {
    const { signalOf, serve } = make();
    await serve();
    await serve();
    expect(signalOf(1)).not.toBe(signalOf(0));
  });

  it('is not used again where somebody still listens to it', async () => {
    const { signalOf, serve } = make();
    const stream = await serve();
    signalOf(0)?.addEventListener('abort', () => {});
    stream.destroy();
    await queueDrained();
    await serve();
    expect(signalOf(1)).not.toBe(signalOf(0));
  });

  it('is not used again once it has aborted, nor after an attempt that failed', async () => {
    const { clock, session, pool, signalOf, serve } = make();
    const late = pool.open({}, limited);
    clock.advance(100);
    await expect(late).rejects.toThrow('100 ms');
    session.openCall(0).resolve();
    const refused = pool.open({}, limited);
    session.openCall(1).reject(new Error('refused'));
    await expect(refused).rejects.toThrow('refused');
    await queueDrained();
    await serve();
    expect(new Set([signalOf(0), signalOf(1), signalOf(2)]).size).toBe(3);
  });

  it('aborts for nobody who has it later: the limit of an open that is over has let go of it', async () => {
    const { clock, session, pool, signalOf, serve } = make();
    const caller = new AbortController();
    const opening = pool.open({}, { ...limited, attemptTimeout: 50, signal: caller.signal });
    session.openCall(0).resolve();
    (await opening).destroy();
    await queueDrained();
    const stream = await serve();
    expect(signalOf(1)).toBe(signalOf(0));
    caller.abort();
    clock.advance(1_000);
    expect([signalOf(1)?.aborted, stream.destroyed]).toEqual([false, false]);
  });
});
