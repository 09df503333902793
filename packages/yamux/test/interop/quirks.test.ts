// What hashicorp/yamux does that the specification does not say, or not so, and that we live with it: each shown as it happens.
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { client, type SessionOptions, type YamuxSession, type YamuxStream } from '../../src/index.ts';
import { fin, ping, syn } from '../support/frames.ts';
import { connectOverTcp, connectSocket } from './connection.ts';
import { FrameLog } from './frame-log.ts';
import { type GoConfig, GoPeer, type GoSession } from './go-peer.ts';
import { payload, sha256 } from './payload.ts';
import { receive, send } from './transfer.ts';

const WINDOW = 262_144;
const GONE = /^ERR_YAMUX_TRANSPORT_(ENDED|FAILED)$/;

const executable = inject('goPeer');

describe.skipIf(executable === null)('we live with a hashicorp/yamux that', () => {
  let peer: GoPeer;
  let ours: YamuxSession;
  let go: GoSession;
  let log: FrameLog;

  beforeEach(() => {
    peer = new GoPeer(executable as string);
  });

  afterEach(async () => {
    log[Symbol.dispose]();
    ours.destroy();
    await peer.stop();
  });

  async function connect(config: GoConfig = {}, options: SessionOptions = {}): Promise<void> {
    ({ ours, go } = await connectOverTcp('client', peer, { keepAliveInterval: 0, ...options }, config));
    ours.on('error', () => {});
    log = new FrameLog(ours);
  }

  /** Whatever the session says before it. */
  function closed(): Promise<void> {
    return new Promise((resolve) => ours.once('close', resolve));
  }

  /** Streams that live on to the end of a test go down with their session. */
  async function open(): Promise<YamuxStream> {
    return (await ours.open()).on('error', () => {});
  }

  test('acknowledges a stream when its application accepts it, not before', async () => {
    await connect();
    const stream = await open();
    await ours.ping();
    expect(stream.acknowledged).toBe(false);
    await Promise.all([once(stream, 'acknowledged'), go.accept()]);
    expect(log.received).toContain(`WINDOW_UPDATE ACK id=${stream.id} len=0`);
  });

  test('never acknowledges a stream that we have ended before it was accepted', async () => {
    await connect({}, { maxUnacknowledged: 1 });
    const stream = await open();
    stream.end();
    await ours.ping();
    const theirs = await go.accept();
    expect(await theirs.receive()).toMatchObject({ bytes: 0, outcome: 'eof' });
    await go.ping();
    expect(stream.acknowledged).toBe(false);

    // The one place for an unanswered stream is free again when Go's first frame comes, whichever it is.
    const next = open();
    await Promise.all([once(stream, 'acknowledged'), theirs.closeWrite()]);
    await next;
    expect(log.received.filter((frame) => frame.includes('ACK') && frame.includes(`id=${stream.id} `))).toEqual([]);
  });

  test('answers pings in any order', async () => {
    const { socket, go: session } = await connectSocket('client', peer);
    go = session;
    ours = client(socket, { keepAliveInterval: 0 });
    log = new FrameLog(ours);
    // Beside our one ping others, of values of their own: to our session their pongs are answers to nothing it asked.
    const values = Array.from({ length: 2000 }, (_, index) => 1_000_000 + index);
    for (const value of values) socket.write(ping(value));
    expect(await ours.ping()).toBeGreaterThan(0);
    await log.until(() => log.received.length > values.length);
    const pongs = log.received.map((frame) => Number(frame.split('len=')[1])).filter((value) => value >= 1_000_000);
    expect(pongs.sort((a, b) => a - b)).toEqual(values);
    expect(ours.state).toBe('open');
  });

  test('sends all that the window lets it as one frame', async () => {
    await connect();
    const [stream, theirs] = await Promise.all([open(), go.accept()]);
    const [sent, received] = await Promise.all([
      theirs.send(1, 4 * WINDOW, 4 * WINDOW).then((transfer) => theirs.closeWrite().then(() => transfer)),
      receive(stream),
    ]);
    expect(received).toEqual({ ...sent, outcome: 'eof' });
    expect(received.sha256).toBe(sha256(payload(1, 4 * WINDOW)));
    expect(log.received).toContain(`DATA id=${stream.id} len=${WINDOW}`);
  });

  test('dies of a second FIN', async () => {
    const { socket, go: session } = await connectSocket('client', peer);
    go = session;
    ours = client(socket, { keepAliveInterval: 0 });
    ours.on('error', () => {});
    log = new FrameLog(ours);
    const [bystander] = await Promise.all([open(), go.accept()]);
    const received = receive(bystander);
    socket.write(Buffer.concat([syn(101), fin(101), fin(101)]));
    expect(await go.ended()).toBe('unexpected flag');
    // A GoAway is queued before the connection is closed, and hardly ever gets out.
    expect((await received).outcome).toMatch(/^ERR_YAMUX_(TRANSPORT_ENDED|TRANSPORT_FAILED|GO_AWAY)$/);
  });

  test('dies of a second FIN, by never sending one', async () => {
    await connect();
    const [stream, theirs] = await Promise.all([open(), go.accept()]);
    stream.end();
    stream.end();
    stream.destroy();
    await ours.ping();
    expect(await theirs.receive()).toMatchObject({ outcome: 'eof' });
    await theirs.closeWrite();
    await ours.ping();
    expect(log.sent.filter((frame) => frame.includes(`id=${stream.id} `))).toEqual([
      `WINDOW_UPDATE SYN id=${stream.id} len=0`,
      `WINDOW_UPDATE FIN id=${stream.id} len=0`,
    ]);
    expect(peer.complaints).toEqual([]);
  });

  test('kills the session when we do not acknowledge a stream in time', async () => {
    await connect({ openTimeout: 20 });
    const [stream, theirs] = await Promise.all([open(), go.accept()]);
    await theirs.send(1, 1000);
    const received = receive(stream);
    // Nobody accepts it here.
    await Promise.all([go.open(), closed()]);
    expect(await go.ended()).toBe('session shutdown');
    expect(await received).toMatchObject({ bytes: 1000, outcome: expect.stringMatching(GONE) });
  });

  test('closes the connection without a GoAway', async () => {
    await connect();
    const [stream] = await Promise.all([open(), go.accept()]);
    const received = receive(stream);
    await Promise.all([closed(), go.close()]);
    expect((await received).outcome).toMatch(GONE);
    expect(log.received.filter((frame) => frame.startsWith('GO_AWAY'))).toEqual([]);
  });

  test('resets a half-closed stream when its patience is over: what it had sent stays whole', async () => {
    await connect({ closeTimeout: 250 }); // a shorter patience may be over before the FIN is queued
    const [stream, theirs] = await Promise.all([open(), go.accept()]);
    const sent = await theirs.send(1, 100_000);
    await theirs.closeWrite();
    await log.until(() => log.received.includes(`WINDOW_UPDATE RST id=${stream.id} len=0`));
    const [received, written] = await Promise.all([receive(stream), send(stream, 2, 10)]);
    expect(received).toEqual({ ...sent, outcome: 'eof' });
    expect(written.outcome).toBe('ERR_YAMUX_STREAM_RESET');
    expect(log.received).toContain(`WINDOW_UPDATE FIN id=${stream.id} len=0`);
  });

  test('tells of nothing written when that takes too long, and sends it all the same', async () => {
    await connect({ writeTimeout: 20 });
    const [stream, theirs] = await Promise.all([open(), go.accept()]);
    await go.hold();
    expect(await theirs.send(1, 1000)).toMatchObject({ bytes: 0, outcome: 'connection write timeout' });
    const ending = theirs.closeWrite().catch(() => {}); // in vain as well, and as little
    await go.release();
    expect(await receive(stream)).toEqual({ bytes: 1000, sha256: sha256(payload(1, 1000)), outcome: 'eof' });
    await ending;
  });

  test('takes the death of a session for a clean end: a stream that we did not end is short there', async () => {
    await connect();
    const [stream, theirs] = await Promise.all([open(), go.accept()]);
    await send(stream, 1, 1000);
    await ours.ping();
    ours.destroy();
    expect(await theirs.receive()).toEqual({ bytes: 1000, sha256: sha256(payload(1, 1000)), outcome: 'eof' });
  });
});
