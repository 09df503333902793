// hashicorp's own test scenarios, played between its Yamux and ours instead of between two of its own.
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { SessionOptions, YamuxSession, YamuxStream } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { connectOverTcp } from './connection.ts';
import { FrameLog } from './frame-log.ts';
import { type GoConfig, GoPeer, type GoSession, type GoStream, type Role, type Transfer } from './go-peer.ts';
import { receive, send } from './transfer.ts';

const WINDOW = 262_144;
const MB = 1_000_000;

const executable = inject('goPeer');
const inFull = inject('isInteropInFull');

describe.skipIf(executable === null).each<Role>(['client', 'server'])('our %s and hashicorp/yamux', (role) => {
  let peer: GoPeer;
  let ours: YamuxSession;
  let go: GoSession;

  beforeEach(() => {
    peer = new GoPeer(executable as string);
  });

  afterEach(async () => {
    ours.destroy();
    await peer.stop();
  });

  async function connect(config: GoConfig = {}, options: SessionOptions = {}): Promise<void> {
    ({ ours, go } = await connectOverTcp(role, peer, { keepAliveInterval: 0, ...options }, config));
    ours.on('error', () => {});
  }

  /** Streams that live on to the end of a test go down with their session. */
  async function open(): Promise<YamuxStream> {
    return (await ours.open()).on('error', () => {});
  }

  async function accept(): Promise<YamuxStream> {
    return (await ours.accept()).on('error', () => {});
  }

  function openByUs(): Promise<[YamuxStream, GoStream]> {
    return Promise.all([open(), go.accept()]);
  }

  /** One after the other: two calls of accept() at once may come back in any order. */
  async function openPairs(count: number): Promise<Array<[YamuxStream, GoStream]>> {
    const pairs: Array<[YamuxStream, GoStream]> = [];
    while (pairs.length < count) pairs.push(await openByUs());
    return pairs;
  }

  function openByGo(): Promise<[YamuxStream, GoStream]> {
    return Promise.all([accept(), go.open()]);
  }

  async function sendAndEnd(stream: YamuxStream, seed: number, size: number, chunk?: number): Promise<Transfer> {
    const sent = await send(stream, seed, size, chunk);
    stream.end();
    return sent;
  }

  async function sendAndEndInGo(stream: GoStream, seed: number, size: number, chunk?: number): Promise<Transfer> {
    const sent = await stream.send(seed, size, chunk);
    await stream.closeWrite();
    return sent;
  }

  /** All that was sent came, and nothing is left of the stream on either side. */
  async function exchange(stream: YamuxStream, theirs: GoStream, size: number, chunk?: number): Promise<void> {
    const [sent, sentByGo, received, receivedByGo] = await Promise.all([
      sendAndEnd(stream, 1, size, chunk),
      sendAndEndInGo(theirs, 2, size, chunk),
      receive(stream),
      theirs.receive(),
    ]);
    expect([received, receivedByGo]).toEqual([
      { ...sentByGo, outcome: 'eof' },
      { ...sent, outcome: 'eof' },
    ]);
    expect([sent.bytes, sentByGo.bytes]).toEqual([size, size]);
    await go.ping();
    expect([ours.streamCount, await go.streamCount()]).toEqual([0, 0]);
  }

  test('send a thousand small messages both ways', async () => {
    await connect();
    const [stream, theirs] = await openByGo();
    await exchange(stream, theirs, 4000, 4);
  });

  test(`send ${inFull ? 250 : 10} MB both ways`, async () => {
    await connect();
    const [stream, theirs] = await openByUs();
    await exchange(stream, theirs, (inFull ? 250 : 10) * MB, 512 * 1024);
  }, 120_000);

  test('send much on sixteen streams at once, both ways', async () => {
    await connect();
    const pairs = await openPairs(16);
    const size = (inFull ? 16 : 1) * MB;
    const told = await Promise.all(
      pairs.flatMap(([stream, theirs], seed) => [
        Promise.all([sendAndEnd(stream, seed, size, 512 * 1024), theirs.receive()]),
        Promise.all([sendAndEndInGo(theirs, 16 + seed, size, 512 * 1024), receive(stream)]),
      ]),
    );
    for (const [sent, received] of told) expect(received).toEqual({ ...sent, bytes: size, outcome: 'eof' });
  }, 120_000);

  test('send twice the first window unread to a Go that grants it', async () => {
    await connect({ maxWindow: 2 * WINDOW });
    const [stream, theirs] = await openByUs();
    const sent = await sendAndEnd(stream, 1, 2 * WINDOW);
    expect(sent).toMatchObject({ bytes: 2 * WINDOW, outcome: 'sent' });
    expect(await theirs.receive()).toEqual({ ...sent, outcome: 'eof' });
  });

  test('lose no stream of Go to an accept() that was given up', async () => {
    await connect();
    const accepting = ours.accept({ signal: AbortSignal.abort(new Error('given up')) });
    const controller = new AbortController();
    const acceptingToo = ours.accept({ signal: controller.signal });
    controller.abort(new Error('given up later'));
    await expect(accepting).rejects.toThrow('given up');
    await expect(acceptingToo).rejects.toThrow('given up later');
    const [stream, theirs] = await openByGo();
    await exchange(stream, theirs, 10);
  });

  test('refuse what is more than the backlog of Go, and no byte of it was seen', async () => {
    await connect({ acceptBacklog: 4 });
    const streams = await Promise.all(Array.from({ length: 6 }, () => open()));
    const refused = streams.slice(4).map((stream) => once(stream, 'close').catch((error: unknown) => error));
    expect(await Promise.all(refused)).toMatchObject([{ refused: true }, { refused: true }]);
    const accepted = await Promise.all([go.accept(), go.accept(), go.accept(), go.accept()]);
    expect(new Set(accepted.map(({ id }) => id))).toEqual(new Set(streams.slice(0, 4).map(({ id }) => id)));
  });

  test('have our open() wait when as many are unanswered as the backlog of Go holds', async () => {
    // Time stands still: after ten seconds an unanswered stream would no longer count.
    await connect({ acceptBacklog: 4 }, { maxUnacknowledged: 4, clock: new ManualClock() });
    const opened: YamuxStream[] = [];
    const opening = Array.from({ length: 20 }, () => open().then((stream) => opened.push(stream)));
    await ours.ping();
    expect(opened.length).toBe(4);
    for (let accepted = 0; accepted < 20; accepted += 1) await go.accept();
    await Promise.all(opening);
    expect(opened.length).toBe(20);
  });

  test('have Go wait when as many of its streams are unanswered as its backlog holds', async () => {
    await connect({ acceptBacklog: 4 });
    let opened = 0;
    const opening = Array.from({ length: 20 }, () =>
      go.open().then(() => {
        opened += 1;
      }),
    );
    await go.ping();
    for (let accepted = 0; accepted < 20; accepted += 1) {
      expect(opened).toBeLessThanOrEqual(4 + accepted);
      await accept();
    }
    await Promise.all(opening);
    expect(opened).toBe(20);
  });

  test('open again after streams that were ended before Go accepted them', async () => {
    await connect({ acceptBacklog: 8 }, { maxUnacknowledged: 8 });
    const streams = await Promise.all(Array.from({ length: 8 }, () => open()));
    for (const stream of streams) stream.end();
    await ours.ping();
    const ninth = open();
    for (let accepted = 0; accepted < 8; accepted += 1) await (await go.accept()).closeWrite();
    const stream = await ninth;
    await exchange(
      stream.on('error', () => {}),
      await go.accept(),
      10,
    );
  });

  test('end a half-closed stream with an error when the session goes', async () => {
    await connect();
    const [stream, theirs] = await openByUs();
    stream.end();
    expect(await theirs.receive()).toMatchObject({ outcome: 'eof' });
    const received = receive(stream);
    await go.close();
    expect((await received).outcome).toMatch(/^ERR_YAMUX_TRANSPORT_(ENDED|FAILED)$/);
  });

  test('keep each other alive', async () => {
    await connect({ keepAliveInterval: 100 }, { keepAliveInterval: 100 });
    using log = new FrameLog(ours);
    const count = (frames: string[], what: string): number => frames.filter((frame) => frame.startsWith(what)).length;
    await log.until(
      () =>
        Math.min(count(log.received, 'PING SYN'), count(log.received, 'PING ACK')) >= 3 &&
        count(log.sent, 'PING ACK') >= 3,
    );
    expect(ours.state).toBe('open');
  });

  test('answer two thousand pings at once beside bulk', async () => {
    await connect();
    const [stream, theirs] = await openByUs();
    await Promise.all([exchange(stream, theirs, 5 * MB), go.pings(2000), ours.ping()]);
  });

  test('return credit while both are stuck for want of it', async () => {
    await connect();
    const pairs = await openPairs(8);
    const sending = pairs.map(([stream, theirs], seed) => [
      sendAndEnd(stream, seed, 8 * WINDOW),
      sendAndEndInGo(theirs, seed, 8 * WINDOW),
    ]);
    // Nobody reads yet: by now each direction of each stream has used its window up, or is about to.
    await Promise.all([ours.ping(), go.ping()]);
    const received = await Promise.all(
      pairs.map(([stream, theirs]) => Promise.all([theirs.receive(), receive(stream)])),
    );
    const sent = await Promise.all(sending.map((both) => Promise.all(both)));
    expect(received.flat()).toEqual(sent.flat().map((transfer) => ({ ...transfer, outcome: 'eof' })));
  });

  test('give half a window back once when half of it is read', async () => {
    await connect({}, { maxStreamWindow: WINDOW }); // or a read that is fast, as round trips go, would let it grow
    const [stream, theirs] = await openByUs();
    using log = new FrameLog(ours);
    const credit = (frames: string[]): string[] => frames.filter((frame) => /^WINDOW_UPDATE id/.test(frame));

    await send(stream, 1, WINDOW);
    await theirs.read(WINDOW / 2);
    await go.ping();
    expect(credit(log.received)).toEqual([`WINDOW_UPDATE id=${stream.id} len=${WINDOW / 2}`]);

    await theirs.send(2, WINDOW);
    await ours.ping();
    for (let left = WINDOW / 2; left > 0; ) left -= (stream.read(Math.min(left, 4096)) as Buffer).length;
    await ours.ping();
    expect(credit(log.sent)).toEqual([`WINDOW_UPDATE id=${stream.id} len=${WINDOW / 2}`]);
  });

  test('play ping-pong on fifty streams at once', async () => {
    await connect();
    const rounds = inFull ? 1000 : 50;
    const pairs = await openPairs(50);
    await Promise.all(
      pairs.map(async ([stream, theirs]) => {
        const echoed = theirs.echo();
        for (let round = 0; round < rounds; round += 1) {
          stream.write('ping');
          const [answer] = (await once(stream, 'data')) as [Buffer];
          expect(String(answer)).toBe('ping');
        }
        stream.end();
        expect(await echoed).toMatchObject({ bytes: 4 * rounds, outcome: 'eof' });
      }),
    );
  }, 60_000);
});
