// The two arrangements that most tests start from.

import type { EventEmitter } from 'node:events';
import { client, type SessionOptions, server, type YamuxSession } from '../../src/index.ts';
import { duplexPair, type PairOptions } from './duplex-pair.ts';
import { WirePeer } from './wire-peer.ts';

/** A session of ours facing a scripted peer. Without pings, unless the test wants them: transcripts then show only what it is about. */
export function facingPeer(
  role: 'client' | 'server',
  options: SessionOptions = {},
): { session: YamuxSession; peer: WirePeer } {
  const [ours, theirs] = duplexPair();
  const make = role === 'client' ? client : server;
  const session = make(ours, { keepAliveInterval: 0, ...options });
  return { session, peer: new WirePeer(theirs) };
}

/** Two sessions of ours facing each other. */
export function sessionPair(
  options: SessionOptions = {},
  pairOptions: PairOptions = {},
): { a: YamuxSession; b: YamuxSession } {
  const [left, right] = duplexPair(pairOptions);
  return {
    a: client(left, { keepAliveInterval: 0, ...options }),
    b: server(right, { keepAliveInterval: 0, ...options }),
  };
}

/** Resolves at 'close', also after an 'error'. */
export function closed(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    emitter.once('close', resolve);
  });
}
