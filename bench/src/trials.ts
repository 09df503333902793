// The trials: each case with its contenders. The first contender is ours, and the ratios of the tables are to it.

import type { Case } from './case.ts';
import { bulk } from './cases/bulk.ts';
import { cold } from './cases/cold.ts';
import { idleMemory } from './cases/idle-memory.ts';
import { openEchoClose } from './cases/open-echo-close.ts';
import { pingPong, pingPongBesideBulk, pingPongBesidePaced } from './cases/ping-pong.ts';
import { goYamux } from './go-yamux.ts';
import type { Implementation, Program } from './implementation.ts';
import { http2 } from './implementations/http2.ts';
import { libp2pYamux } from './implementations/libp2p-yamux.ts';
import { rawSocket } from './implementations/raw-socket.ts';
import { rawWs } from './implementations/web-socket/raw-ws.ts';
import { ourStream, wsStream } from './implementations/web-socket/streams.ts';
import { masked, unmasked, type Way, zeroKey } from './implementations/web-socket/ways.ts';
import { yamuxOverWs } from './implementations/web-socket/yamux-over-ws.ts';
import { yamux } from './implementations/yamux.ts';
import { yamuxJs } from './implementations/yamux-js.ts';
import type { Trial } from './rounds.ts';

export type StreamTrial = Trial<Implementation | Program, Case>;

const KIB = 1024;

/** Contenders that carry many streams over one TCP connection, and plain TCP. */
const overTcp = [yamux, rawSocket, http2, libp2pYamux, goYamux, yamuxJs];
/** Contenders over a WebSocket. */
const over = (way: Way): Implementation[] => [ourStream(way), yamuxOverWs(way), wsStream(way), rawWs(way)];

const bulk1 = bulk({ name: 'bulk-1', title: 'bulk, 1 stream, 64 KiB writes', streams: 1, bytesPerWrite: 64 * KIB });
const bulk100 = bulk({
  name: 'bulk-100',
  title: 'bulk, 100 streams, 64 KiB writes',
  streams: 100,
  bytesPerWrite: 64 * KIB,
});

const tcpCases = [
  bulk1,
  bulk100,
  bulk({ name: 'bulk-10000', title: 'bulk, 10,000 streams, 64 KiB writes', streams: 10_000, bytesPerWrite: 64 * KIB }),
  bulk({ name: 'bulk-1-small', title: 'bulk, 1 stream, 1 KiB writes', streams: 1, bytesPerWrite: KIB }),
  bulk({
    name: 'bulk-1-far',
    title: 'bulk, 1 stream, 64 KiB writes, a link of 80 ms and 100 MB/s',
    streams: 1,
    bytesPerWrite: 64 * KIB,
    link: { delayMs: 40, bytesPerSecond: 100e6 },
    rampMs: 2000,
  }),
  openEchoClose,
  pingPong,
  pingPongBesideBulk,
  pingPongBesidePaced,
  idleMemory(10_000),
  ...[bulk1, bulk100, openEchoClose, pingPongBesideBulk].map(cold),
];

function webSocket(name: string, title: string, bytesPerWrite: number): Case {
  return bulk({ name, title: `WebSocket, ${title}`, streams: 1, bytesPerWrite });
}

export const trials: readonly StreamTrial[] = [
  ...tcpCases.map((benchCase) => ({ benchCase, contenders: overTcp })),
  { benchCase: webSocket('web-socket-small', '1 KiB writes', KIB), contenders: over(unmasked) },
  { benchCase: webSocket('web-socket', '64 KiB writes', 64 * KIB), contenders: over(unmasked) },
  { benchCase: webSocket('web-socket-small-masked', '1 KiB writes, masked', KIB), contenders: over(masked) },
  { benchCase: webSocket('web-socket-masked', '64 KiB writes, masked', 64 * KIB), contenders: over(masked) },
  {
    benchCase: webSocket('web-socket-zero-key', '64 KiB writes, masked by zeros', 64 * KIB),
    contenders: over(zeroKey),
  },
];
