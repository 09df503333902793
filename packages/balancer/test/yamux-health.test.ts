// Real sessions that fail in every way a session can, under load: while another one is healthy, no open fails.
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PoolOptions } from '../src/options.ts';
import { SessionPool } from '../src/pool.ts';
import { ManualClock, queueDrained } from '../src/testing.ts';
import { Recorder } from './support/recorder.ts';
import { type Transport, Tunnels } from './support/tunnels.ts';

const KEEP_ALIVE = { keepAliveInterval: 1_000, keepAliveTimeout: 500 };

describe.each<Transport>(['TCP', 'WebSocket'])('a pool of sessions over %s', (transport) => {
  let clock: ManualClock;
  let recorder: Recorder;
  let pool: SessionPool;
  let tunnels: Tunnels;

  function poolWith(options: PoolOptions = {}): void {
    pool = new SessionPool({ clock, hooks: recorder.hooks, ...options });
    tunnels = new Tunnels(transport, pool);
  }

  beforeEach(() => {
    clock = new ManualClock();
    recorder = new Recorder();
    poolWith();
  });

  afterEach(async () => {
    pool.destroy();
    await tunnels.close();
  });

  /** Opens one after the other, as many at once as said, until it is stopped; tells what they came to. */
  class Load {
    opens = 0;
    cut = 0;
    readonly failed: unknown[] = [];
    readonly #wrong: string[] = [];
    #stopped = false;
    readonly #workers: Promise<void>[];

    constructor(workers: number) {
      this.#workers = Array.from({ length: workers }, () => this.#work());
    }

    async #work(): Promise<void> {
      while (!this.#stopped) await this.#one(`message ${this.opens}`);
    }

    async #one(message: string): Promise<void> {
      this.opens += 1;
      const stream = await pool
        .open({}, { acknowledged: true })
        .catch((error: unknown) => void this.failed.push(error));
      if (stream === undefined) return;
      stream.end(message);
      const received = await text(stream).catch(() => undefined);
      if (received === undefined) this.cut += 1;
      else if (received !== message) this.#wrong.push(received);
    }

    /** So many more opens have begun. */
    async more(opens: number): Promise<void> {
      const until = this.opens + opens;
      while (this.opens < until) await queueDrained();
    }

    /** No open failed, and what came back was whole. */
    async stop(): Promise<void> {
      this.#stopped = true;
      await Promise.all(this.#workers);
      expect(this.failed).toEqual([]);
      expect(this.#wrong).toEqual([]);
    }
  }

  const removed = (): object[] => recorder.of('onSessionRemoved').map(({ reason, error }) => ({ reason, error }));

  it('loses a session to a GoAway of its peer without a failed open or a cut stream', async () => {
    for (const key of ['a', 'b', 'c']) await tunnels.add(key);
    const load = new Load(20);
    await load.more(100);
    for (const { far, ref } of tunnels.all.slice(0, 2)) {
      await far.goAway();
      while (!ref.snapshot().draining) await queueDrained();
      await load.more(100);
    }
    await load.stop();
    expect(load.cut).toBe(0);
    expect(tunnels.all.map(({ ref }) => ref.snapshot().drainReason)).toEqual(['go-away', 'go-away', undefined]);
  });

  it.each([
    ['is cut', 'cut'],
    ['ends without a word, its peer killed', 'hangUp'],
  ] as const)(
    'loses a session whose connection %s: its streams error, and its opens go elsewhere',
    async (_how, end) => {
      const [dying] = [await tunnels.add('dying'), await tunnels.add('living')];
      const load = new Load(20);
      await load.more(100);
      dying.wire[end]();
      await load.more(100);
      await load.stop();
      expect(load.cut).toBeLessThanOrEqual(20);
      // Bytes that were under way to it are answered with a reset, or its end comes first.
      const code = expect.stringMatching(/^ERR_YAMUX_TRANSPORT_(?:ENDED|FAILED)$/);
      expect(removed()).toEqual([{ reason: 'closed', error: expect.objectContaining({ code, scope: 'session' }) }]);
      expect(pool.stats()).toMatchObject({ sessionsTotal: 1, activeStreams: 0, pendingStreams: 0 });
    },
  );

  it('loses a session whose peer breaks the protocol', async () => {
    const [bad] = [await tunnels.add('bad'), await tunnels.add('good')];
    const load = new Load(20);
    await load.more(100);
    // Over a WebSocket it is the end of that protocol, before it can be one of Yamux.
    bad.wire.inject(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await load.more(100);
    await load.stop();
    const code = transport === 'TCP' ? 'ERR_YAMUX_PROTOCOL' : 'ERR_YAMUX_TRANSPORT_FAILED';
    expect(removed()).toEqual([{ reason: 'closed', error: expect.objectContaining({ code }) }]);
  });

  it('loses a session into a black hole by keep-alive; opens that waited there go elsewhere, and none fails', async () => {
    const sessionClock = new ManualClock();
    const options = { ...KEEP_ALIVE, clock: sessionClock };
    const [hole] = [await tunnels.add('hole', options), await tunnels.add('living')];
    const load = new Load(20);
    await load.more(100);
    hole.wire.freeze();
    // All that are under way get stuck in it, sooner or later.
    while (hole.ref.snapshot().activeStreams < 20) await queueDrained();
    const gone = new Promise<void>((resolve) => hole.near.once('close', resolve));
    sessionClock.advance(KEEP_ALIVE.keepAliveInterval);
    // The peer is waited for from when the ping has gone out.
    do await queueDrained();
    while (hole.near.stats().queuedBytes > 0);
    sessionClock.advance(KEEP_ALIVE.keepAliveTimeout);
    await gone;
    await load.more(100);
    await load.stop();
    expect(removed()).toEqual([
      { reason: 'closed', error: expect.objectContaining({ code: 'ERR_YAMUX_KEEP_ALIVE_TIMEOUT' }) },
    ]);
  });

  it('takes a session out that answers nothing in time, and has it back after a ping and one open', async () => {
    const [slow] = [await tunnels.add('slow', { keepAliveInterval: 0 }), await tunnels.add('other')];
    slow.wire.freeze();
    for (let open = 1; open <= 3; open += 1) {
      const opening = pool.open({ sessionKey: 'slow' }, { acknowledged: true, timeout: 100 });
      clock.advance(100);
      await expect(opening).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT' });
      expect(slow.ref.snapshot().healthy).toBe(open < 3);
    }
    const served = async (): Promise<string> => {
      const { stream, session } = await pool.openStream({}, { acknowledged: true });
      stream.on('error', () => {}).destroy();
      return session.key;
    };
    expect([await served(), await served()]).toEqual(['other', 'other']);
    slow.wire.thaw();
    clock.advance(30_000);
    expect(await served()).toBe('other'); // and a ping is out
    await slow.near.ping(); // the same one
    await queueDrained();
    expect(await served()).toBe('slow');
    expect(slow.ref.snapshot().healthy).toBe(true);
    expect(recorder.of('onHealthChange').map(({ healthy }) => healthy)).toEqual([false, true]);
  });

  it('leaves a session alone whose peer has enough streams, and counts no failure against it', async () => {
    await tunnels.add('small', {}, { maxInboundStreams: 2 });
    await tunnels.add('big');
    const load = new Load(20);
    await load.more(200);
    await load.stop();
    expect(load.cut).toBe(0);
    expect(pool.stats()).toMatchObject({ sessionsHealthy: 2 });
    expect(pool.stats().openFailures).toBeGreaterThan(0);
    expect(recorder.of('onHealthChange')).toEqual([]);
  });

  it('closes a session that fails, if it is told to, so that its peer can come back', async () => {
    poolWith({ closeFailedSessions: true, openAttempts: 1 });
    const { wire, near, far } = await tunnels.add('failing', { keepAliveInterval: 0 });
    const live = (await pool.open({}, { acknowledged: true })).on('error', () => {});
    const failed = new Promise<void>((resolve) => live.once('close', resolve));
    wire.freeze();
    for (let open = 1; open <= 3; open += 1) {
      const opening = pool.open({}, { acknowledged: true, timeout: 100 });
      clock.advance(100);
      await expect(opening).rejects.toMatchObject({ code: 'ERR_YAMUX_POOL_OPEN_TIMEOUT' });
    }
    wire.thaw();
    await failed;
    expect(live.errored).toMatchObject({ code: 'ERR_YAMUX_POOL_SESSION_UNHEALTHY' });
    expect(near.state).toBe('closed');
    await new Promise<void>((resolve) => {
      if (far.state === 'closed') resolve();
      else far.once('close', resolve);
    });
    expect(removed()).toEqual([
      { reason: 'closed', error: expect.objectContaining({ code: 'ERR_YAMUX_POOL_SESSION_UNHEALTHY' }) },
    ]);
  });

  it('tells a classifier which ends came while writes waited: a deadline of those may count, one of a reader may not', async () => {
    const seen: string[] = [];
    poolWith({
      failureClassifier: ({ operation, error }) => {
        seen.push(operation);
        const isDeadline = (error as { readonly code?: unknown }).code === 'ETIMEDOUT';
        return operation === 'stream-write' && isDeadline ? 'count' : 'ignore';
      },
    });
    const { ref, wire } = await tunnels.add('a', { keepAliveInterval: 0 });
    const [writing, reading] = [
      await pool.open({}, { acknowledged: true }),
      await pool.open({}, { acknowledged: true }),
    ];
    wire.freeze();
    // More than its window: the rest waits for credit that does not come.
    writing.write(Buffer.alloc(1_048_576));
    reading.write('asks');
    while (reading.writableLength > 0) await queueDrained();
    for (const stream of [writing, reading]) {
      const closed = new Promise<void>((resolve) => stream.once('close', resolve));
      stream.on('error', () => {}).destroy(Object.assign(new Error('deadline'), { code: 'ETIMEDOUT' }));
      await closed;
      expect(ref.snapshot().consecutiveFailures).toBe(1);
    }
    expect(seen).toEqual(['stream-write', 'stream-read']);
    wire.thaw();
  });

  it('does not hold the ends of its users against a session: three browsers that abort, and a reader that is cut off', async () => {
    const { ref } = await tunnels.add('a');
    for (let open = 0; open < 5; open += 1) {
      const stream = (await pool.open({}, { acknowledged: true })).on('error', () => {});
      const closed = new Promise<void>((resolve) => stream.once('close', resolve));
      stream.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' }));
      await closed;
    }
    expect(ref.snapshot()).toMatchObject({ healthy: true, consecutiveFailures: 0 });
  });
});
