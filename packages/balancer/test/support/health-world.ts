// A pool on a manual clock whose health events are written down.
import { expect } from 'vitest';
import type { SessionRef } from '../../src/member/session-ref.ts';
import type { HealthEvent, HookPanicEvent } from '../../src/observe/events.ts';
import type { PoolOptions } from '../../src/options.ts';
import { SessionPool } from '../../src/pool.ts';
import { type FakeSession, ManualClock, queueDrained } from '../../src/testing.ts';

export interface HealthWorld {
  readonly pool: SessionPool;
  readonly clock: ManualClock;
  readonly health: HealthEvent[];
  readonly panics: HookPanicEvent[];
  add<Session extends FakeSession>(key: string, session: Session): { session: Session; ref: SessionRef };
  /** Which session serves the next open. */
  next(): Promise<string>;
  /** So many opens of that session fail. */
  fail(key: string, times: number): Promise<void>;
}

export function healthWorld(options: PoolOptions = {}): HealthWorld {
  const clock = new ManualClock();
  const health: HealthEvent[] = [];
  const panics: HookPanicEvent[] = [];
  const pool = new SessionPool({
    clock,
    openAttempts: 1,
    hooks: { onHealthChange: (event) => health.push(event), onHookPanic: (event) => panics.push(event) },
    ...options,
  });
  const sessions = new Map<string, FakeSession>();
  return {
    pool,
    clock,
    health,
    panics,
    add: (key, session) => {
      sessions.set(key, session);
      return { session, ref: pool.add(session, { key }) };
    },
    next: async () => {
      const { session, stream } = await pool.openStream();
      stream.destroy();
      await queueDrained();
      return session.key;
    },
    fail: async (key, times) => {
      const session = sessions.get(key) as FakeSession;
      session.refuses(new Error('broken'));
      for (let open = 0; open < times; open += 1) {
        await expect(pool.open({ sessionKey: key })).rejects.toThrow('broken');
      }
      session.answers();
    },
  };
}

export const INTERVAL = 30_000;

export const errorOf = (fields: object, message = 'told'): Error => Object.assign(new Error(message), fields);
