// The two ends of a connection in memory: a session of this package, and one of @zishuo/yamux that says what its peer does.

import type { Duplex } from 'node:stream';
import { client, type SessionOptions, server, type YamuxSession, type YamuxStream } from '@zishuo/yamux';
import { onTestFinished } from 'vitest';
import { duplexPair, settle } from '../../../yamux/test/support/duplex-pair.ts';
import type { Config } from '../../src/index.ts';
import { Client, Server, type Session, type Stream } from '../../src/index.ts';
import { QUIET } from './implementations.ts';

export { settle };

export interface Peers {
  readonly session: Session;
  /** What the session is piped through. */
  readonly socket: Duplex;
  readonly peer: YamuxSession;
  /** What happens to the session: 'end', 'close', and the texts of errors. */
  readonly events: string[];
}

const PEER: SessionOptions = { keepAliveInterval: 0 };

/** A client, and the server that it talks to. */
export function clientAndPeer(config: Config = {}): Peers {
  return peers(new Client({ ...QUIET, ...config }), (socket) => server(socket, PEER));
}

/** A server, and the client that talks to it. */
export function serverAndPeer(onStream: (stream: Stream) => void, config: Config = {}): Peers {
  return peers(new Server(onStream, { ...QUIET, ...config }), (socket) => client(socket, PEER));
}

function peers(session: Session, peerOn: (socket: Duplex) => YamuxSession): Peers {
  const [socket, far] = duplexPair();
  const events = eventsOf(session);
  session.pipe(socket).pipe(session);
  const peer = peerOn(far);
  peer.on('error', () => {});
  onTestFinished(() => {
    session.destroy();
    peer.destroy();
  });
  return { session, socket, peer, events };
}

/** The next stream that `peer` accepts. */
export async function accepted(peer: YamuxSession): Promise<YamuxStream> {
  return (await peer.accept()).on('error', () => {});
}

/** 'end', 'close', and the texts of errors. */
export function eventsOf(emitter: Duplex): string[] {
  const events: string[] = [];
  for (const event of ['end', 'close']) emitter.on(event, () => events.push(event));
  emitter.on('error', (error: Error) => events.push(error.message));
  return events;
}
