// hashicorp's own scenarios in which one end falls silent, played with ours: who finds it out, and what it costs.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { client, type SessionOptions, server, type YamuxSession, type YamuxStream } from '../../src/index.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { connectSocket } from './connection.ts';
import { type GoConfig, GoPeer, type GoSession, type GoStream, type Role } from './go-peer.ts';
import { receive, send } from './transfer.ts';

const WINDOW = 262_144;
const GONE = /^ERR_YAMUX_TRANSPORT_(ENDED|FAILED)$/;
/** hashicorp's words; the second ones where its own sending took that long. */
const IN_VAIN = /i\/o deadline reached|connection write timeout/;

const executable = inject('goPeer');

describe.skipIf(executable === null).each<Role>(['client', 'server'])('our %s and hashicorp/yamux', (role) => {
  let peer: GoPeer;
  let socket: Socket;
  let ours: YamuxSession;
  let go: GoSession;

  beforeEach(() => {
    peer = new GoPeer(executable as string);
  });

  afterEach(async () => {
    ours.destroy();
    await peer.stop();
  });

  async function connect(config: GoConfig, options: SessionOptions): Promise<void> {
    ({ socket, go } = await connectSocket(role, peer, config));
    ours = (role === 'client' ? client : server)(socket, options);
    ours.on('error', () => {});
  }

  /** Whatever the session says before it. */
  function closed(): Promise<void> {
    return new Promise((resolve) => ours.once('close', resolve));
  }

  async function open(): Promise<[YamuxStream, GoStream]> {
    const [stream, theirs] = await Promise.all([ours.open(), go.accept()]);
    stream.on('error', () => {});
    return [stream, theirs];
  }

  test('Go ends a session in which we fall silent, and ours ends with an error', async () => {
    await connect({ keepAliveInterval: 5, writeTimeout: 20 }, { keepAliveInterval: 0 });
    socket.pause();
    const over = closed();
    const received = ours.open().then(receive);
    expect(await go.ending()).toEqual({
      outcome: 'keepalive timeout',
      complaints: [expect.stringMatching('keepalive failed')],
    });
    socket.resume();
    expect((await received).outcome).toMatch(GONE);
    await over;
    expect(ours.errored).toMatchObject({ code: expect.stringMatching(GONE) });
  });

  test('we end a session in which Go falls silent, and each stream with the same error', async () => {
    const clock = new ManualClock();
    await connect({}, { clock, keepAliveInterval: 1000, keepAliveTimeout: 500 });
    const [stream, theirs] = await open();
    await theirs.send(1, 1000);
    const received = receive(stream);
    await ours.ping(); // and nothing else is on its way to us
    await go.hold();
    const over = closed();
    clock.advance(1000);
    await turn(); // the ping is with the socket
    clock.advance(499);
    expect(ours.state).toBe('open');
    clock.advance(1);
    await over;
    expect(ours.errored).toMatchObject({ code: 'ERR_YAMUX_KEEP_ALIVE_TIMEOUT', origin: 'remote' });
    expect(await received).toMatchObject({ bytes: 1000, outcome: 'ERR_YAMUX_KEEP_ALIVE_TIMEOUT' });
    expect(await go.ended()).toMatch(/EOF|reset/);
  });

  test('a ping of ours fails while Go is silent, and the next one is answered', async () => {
    const clock = new ManualClock();
    await connect({}, { clock, keepAliveInterval: 0, keepAliveTimeout: 500 });
    await go.hold();
    const ping = ours.ping();
    const failed = expect(ping).rejects.toMatchObject({ code: 'ERR_YAMUX_PING_TIMEOUT' });
    await turn();
    clock.advance(500);
    await failed;
    const next = ours.ping();
    await go.release();
    expect(await next).toBeGreaterThanOrEqual(0);
    expect(ours.state).toBe('open');
  });

  test('a ping of Go fails while we are silent, and a later one is answered', async () => {
    await connect({ writeTimeout: 20 }, { keepAliveInterval: 0 });
    socket.pause();
    await expect(go.ping()).rejects.toThrow(IN_VAIN);
    socket.resume();
    const answered = async (): Promise<boolean> => (await go.ping().catch(() => 0)) > 0;
    while (!(await answered())); // each has 20 ms, and this machine may be busy
    expect(ours.state).toBe('open');
  });

  test('Go goes on reading while its credit cannot go out, and we have it as soon as it can', async () => {
    await connect({ writeTimeout: 20 }, { keepAliveInterval: 0 });
    const [stream, theirs] = await open();
    const sending = send(stream, 1, 2 * WINDOW);
    await go.hold();
    let { bytes, outcome } = await theirs.read(WINDOW);
    expect(outcome).toBe('connection write timeout');
    await go.release();
    void sending.then(() => stream.end());
    while (outcome === 'connection write timeout') {
      const part = await theirs.receive(); // each has 20 ms for its credit, and this machine may be busy
      bytes += part.bytes;
      outcome = part.outcome;
    }
    expect([bytes, outcome]).toEqual([2 * WINDOW, 'eof']);
    expect(await sending).toMatchObject({ bytes: 2 * WINDOW, outcome: 'sent' });
  });

  test('we go on reading while our credit cannot go out, and Go has it as soon as it can', async () => {
    await connect({}, { keepAliveInterval: 0, maxStreamWindow: WINDOW });
    const [stream, theirs] = await open();
    let hasSent = false;
    const sending = theirs.send(1, 2 * WINDOW).then((sent) => {
      hasSent = true;
      return sent;
    });
    socket.cork();
    let read = 0;
    while (read < WINDOW) {
      const chunk = stream.read() as Buffer | null;
      if (chunk === null) await once(stream, 'readable');
      else read += chunk.length;
    }
    expect([read, hasSent]).toEqual([WINDOW, false]);
    socket.uncork();
    const received = receive(stream);
    expect(await sending).toMatchObject({ bytes: 2 * WINDOW, outcome: 'sent' });
    await theirs.closeWrite();
    expect(await received).toMatchObject({ bytes: WINDOW, outcome: 'eof' });
  });

  test('we reset a stream that Go leaves half-closed for too long, and Go can write no more', async () => {
    const clock = new ManualClock();
    await connect({}, { clock, keepAliveInterval: 0, halfCloseTimeout: 60_000 });
    const [stream, theirs] = await open();
    stream.end();
    expect(await theirs.receive()).toMatchObject({ bytes: 0, outcome: 'eof' });
    const received = receive(stream);
    clock.advance(60_000);
    expect(await received).toMatchObject({ outcome: 'ERR_YAMUX_HALF_CLOSE_TIMEOUT' });
    await ours.ping();
    expect((await theirs.send(1, 1000)).outcome).toBe('connection reset');
    expect([ours.state, await go.streamCount()]).toEqual(['open', 0]);
  });

  test('Go gives up reading before we have written, and loses nothing', async () => {
    await connect({}, { keepAliveInterval: 0 });
    const [stream, theirs] = await open();
    expect(await theirs.read(1000, 5)).toMatchObject({ bytes: 0, outcome: 'i/o deadline reached' });
    const sent = await send(stream, 1, 1000);
    expect(await theirs.read(1000)).toEqual({ ...sent, outcome: 'read' });
  });

  test('Go gives up writing for want of credit: what it told of as written is what we get', async () => {
    await connect({}, { keepAliveInterval: 0 });
    const [stream, theirs] = await open();
    const sent = await theirs.send(1, 2 * WINDOW, WINDOW / 4, 20);
    expect(sent.outcome).toBe('i/o deadline reached');
    await theirs.closeWrite();
    expect(await receive(stream)).toEqual({ ...sent, outcome: 'eof' });
  });
});
