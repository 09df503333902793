// An open of the pool, and of a session alone: the difference is the cost of the pool. The streams are Duplexes that do nothing.
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import { type PoolableSession, SessionPool, type StrategyName } from '@zishuo/yamux-balancer';
import type { Picker } from './picker.ts';

class Stream extends Duplex {
  acknowledged = false;
  override _read(): void {}
}

class Session extends EventEmitter implements PoolableSession {
  readonly state = 'open';
  isSick = false;

  async open(): Promise<Duplex> {
    if (this.isSick) throw new Error('sick');
    return new Stream();
  }
}

/** Opens and closes streams, a hundred at a time. */
async function openAndClose(open: () => Promise<Duplex>, times: number): Promise<void> {
  for (let done = 0; done < times; done += 100) {
    const streams: Duplex[] = [];
    for (let turn = 0; turn < 100; turn += 1) streams.push(await open());
    for (const stream of streams) stream.emit('acknowledged');
    for (const stream of streams) stream.destroy();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export const bareOpen: Picker = {
  name: 'the session alone',
  largest: 100_000,
  make: (sessions) => {
    const all = Array.from({ length: sessions }, () => new Session());
    let turn = 0;
    return (times) => openAndClose(() => (all[turn++ % sessions] as Session).open(), times);
  },
};

export function poolOpen(strategy: StrategyName): Picker {
  return {
    name: `pool.open(), ${strategy}`,
    largest: 100_000,
    make: (sessions) => {
      const pool = new SessionPool({ strategy });
      for (let session = 0; session < sessions; session += 1) pool.add(new Session());
      return (times) => openAndClose(() => pool.open(), times);
    },
  };
}

/** Beside the most opens that may wait: they wait for a tag that no session has. */
export const openBesideWaiting: Picker = {
  name: 'pool.open(), round-robin, beside 1,000 that wait',
  largest: 100_000,
  make: (sessions) => {
    const pool = new SessionPool();
    for (let session = 0; session < sessions; session += 1) pool.add(new Session());
    for (let waiting = 0; waiting < 1_000; waiting += 1) {
      pool.open({ requiredTags: ['nowhere'] }, { wait: true }).catch(() => {});
    }
    return (times) => openAndClose(() => pool.open(), times);
  },
};

/** Every session is at its limit: each open waits until an older stream closes. */
export const openThatWaits: Picker = {
  name: 'pool.open(), round-robin, each waits for a slot',
  largest: 100_000,
  make: (sessions) => {
    const pool = new SessionPool({ maxActiveStreams: 1, wait: true });
    for (let session = 0; session < sessions; session += 1) pool.add(new Session());
    let streams: Promise<Duplex[]> | undefined;
    return async (times) => {
      streams ??= Promise.all(Array.from({ length: sessions }, () => pool.open()));
      const running = await streams;
      for (let done = 0; done < times; done += 100) {
        const opens = Array.from({ length: 100 }, () => pool.open());
        for (const open of opens) {
          const oldest = running.shift();
          oldest?.emit('acknowledged');
          oldest?.destroy();
          running.push(await open);
        }
      }
    };
  },
};

/** One of ten sessions is unhealthy for longer than the measurement takes. */
export const sickPoolOpen: Picker = {
  name: 'pool.open(), round-robin, a tenth unhealthy',
  largest: 100_000,
  make: (sessions) => {
    const pool = new SessionPool({ healthFailureThreshold: 1, healthProbeInterval: 600_000, openAttempts: 1 });
    const sick: string[] = [];
    for (let number = 0; number < sessions; number += 1) {
      const session = new Session();
      session.isSick = number % 10 === 0;
      const { key } = pool.add(session);
      if (session.isSick) sick.push(key);
    }
    return async (times) => {
      for (const sessionKey of sick.splice(0)) await pool.open({ sessionKey }).catch(() => {});
      await openAndClose(() => pool.open(), times);
    };
  },
};
