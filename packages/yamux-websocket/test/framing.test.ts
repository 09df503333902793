// Frames split over messages in every way: message boundaries carry no meaning for the session.
import type { YamuxSession, YamuxStream } from '@zishuo/yamux';
import { afterEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { data, fin, ping, pong, syn } from '../../yamux/test/support/frames.ts';
import { server } from '../src/session.ts';
import { closePairs, wsPair } from './support/ws-pair.ts';

const sessions: YamuxSession[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await closePairs();
});

/** Our session, and the bare socket at the other end. */
async function facing(): Promise<{ readonly peer: WebSocket; readonly session: YamuxSession }> {
  const { client: peer, server: socket } = await wsPair();
  const session = server(socket, { keepAliveInterval: 0 });
  session.on('error', () => {});
  sessions.push(session);
  return { peer, session };
}

async function whole(session: YamuxSession): Promise<string> {
  const stream: YamuxStream = await session.accept();
  stream.on('error', () => {});
  return Buffer.concat(await stream.toArray()).toString();
}

describe('a session over a WebSocket accepts frames', () => {
  const frames = Buffer.concat([syn(1), data(1, Buffer.from('a payload')), fin(1)]);

  it('in one message, all of them', async () => {
    const { peer, session } = await facing();
    peer.send(frames);
    expect(await whole(session)).toBe('a payload');
  });

  it.each(Array.from({ length: frames.length - 1 }, (_, index) => index + 1))(
    'cut into two messages after byte %i',
    async (at) => {
      const { peer, session } = await facing();
      peer.send(frames.subarray(0, at));
      peer.send(frames.subarray(at));
      expect(await whole(session)).toBe('a payload');
    },
  );

  it('in messages of one byte, with empty ones between', async () => {
    const { peer, session } = await facing();
    for (const byte of frames) {
      peer.send(Buffer.of(byte));
      peer.send(Buffer.alloc(0));
    }
    expect(await whole(session)).toBe('a payload');
  });

  it('of twelve bytes, 1 MiB of them in one message, and answers each', async () => {
    const { peer, session } = await facing();
    const count = Math.floor((1024 * 1024) / 12);
    const answers: Buffer[] = [];
    const answered = new Promise<void>((resolve) => {
      let bytes = 0;
      peer.on('message', (message: Buffer) => {
        answers.push(message);
        bytes += message.length;
        if (bytes === count * 12) resolve();
      });
    });
    peer.send(Buffer.concat(Array.from({ length: count }, (_, value) => ping(value))));
    await answered;
    expect(Buffer.concat(answers).equals(Buffer.concat(Array.from({ length: count }, (_, value) => pong(value))))).toBe(
      true,
    );
    expect(session.state).toBe('open');
  });

  it('after a preamble that the application has read as a separate message', async () => {
    const { client: peer, server: socket } = await wsPair();
    peer.send('{"version":1}');
    peer.send(frames);
    const session = await new Promise<YamuxSession>((resolve) => {
      socket.once('message', (preamble: Buffer) => {
        expect(preamble.toString()).toBe('{"version":1}');
        resolve(server(socket, { keepAliveInterval: 0 })); // at once: the next message may be right behind
      });
    });
    session.on('error', () => {});
    sessions.push(session);
    expect(await whole(session)).toBe('a payload');
  });
});
