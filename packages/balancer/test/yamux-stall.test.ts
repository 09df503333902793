// Real sessions of which one's peer acknowledges streams and reads none of them.
import { expect, it } from 'vitest';
import { SessionPool } from '../src/pool.ts';
import { ManualClock, queueDrained, seededRandom } from '../src/testing.ts';
import { Tunnels } from './support/tunnels.ts';

it('peak-ewma leaves a session whose windows are full, and comes back to it when its peer reads again', async () => {
  const clock = new ManualClock();
  const pool = new SessionPool({ strategy: 'peak-ewma', clock, random: seededRandom(1) });
  const tunnels = new Tunnels('TCP', pool);
  const quiet = { clock, keepAliveInterval: 0 };
  const [full, other] = [await tunnels.add('full', quiet), await tunnels.add('other', quiet)];
  const unread: NodeJS.ReadableStream[] = [];
  full.far.removeAllListeners('stream');
  full.far.on('stream', (stream) => unread.push(stream.on('error', () => {})));
  /** How many of so many opens went there. */
  const shareOfFull = async (opens: number): Promise<number> => {
    let count = 0;
    for (let turn = 0; turn < opens; turn += 1) {
      const { session, stream } = await pool.openStream({}, { acknowledged: true });
      if (session.key === 'full') count += 1;
      stream.on('error', () => {}).destroy();
    }
    return count;
  };
  try {
    expect(await shareOfFull(20)).toBe(10);
    const upload = await pool.open({ sessionKey: 'full' });
    upload.on('error', () => {}).resume();
    upload.write(Buffer.alloc(300_000));
    // The clock stands until the window is full.
    while (full.near.stalledFor === 0) {
      await queueDrained();
      clock.advance(1);
    }
    clock.advance(200);
    expect(full.near.stalledFor).toBeGreaterThanOrEqual(200);
    expect(other.near.stalledFor).toBe(0);
    expect(await shareOfFull(20)).toBe(0);
    for (const stream of unread) stream.resume();
    while (full.near.stalledFor > 0) await queueDrained();
    clock.advance(60_000);
    expect(await shareOfFull(20)).toBeGreaterThanOrEqual(5);
  } finally {
    pool.destroy();
    await tunnels.close();
  }
});
