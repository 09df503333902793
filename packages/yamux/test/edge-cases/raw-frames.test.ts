// Edge cases in which implementations differ, beyond those of session/received-frames.test.ts, that bytes alone make: raw frames, to a
// session in either role, cut at every point.

import { describe } from 'vitest';
import { type Row, testRows } from '../support/frame-rows.ts';
import { ACK, ack, data, FIN, fin, frame, goAway, ping, RST, rst, SYN, syn, windowUpdate } from '../support/frames.ts';

const WINDOW = 262_144;
const MAX = 0xffff_ffff;

describe.each(['server', 'client'] as const)('a %s', (role) => {
  /** Ids for streams of the peer, ids of streams that we open first, and the largest that the peer may choose. */
  const [a, b, ours, oursToo, largest] = role === 'server' ? [1, 3, 2, 4, MAX] : [2, 4, 1, 3, MAX - 1];
  const violated = ['session error ERR_YAMUX_PROTOCOL', 'session close'];
  const failed = (id: number): string[] => [`${id} error ERR_YAMUX_PROTOCOL`, `${id} close`];

  const rows: Row[] = [
    {
      name: 'SYN with an id of our parity is a protocol error',
      send: [syn(ours)],
      hears: ['GOAWAY 1'],
      sees: violated,
    },
    {
      name: 'SYN with id 0 on Data is a protocol error, and its payload no frame',
      send: [data(0, ping(1), SYN)],
      hears: ['GOAWAY 1'],
      sees: violated,
    },
    {
      name: 'SYN on the id of a stream that we opened is a protocol error',
      opens: 1,
      send: [syn(ours)],
      hears: [`CREDIT SYN ${ours} +0`, 'GOAWAY 1'],
      sees: [...failed(ours), ...violated],
    },
    {
      name: 'nothing that comes behind a violation is looked at',
      send: [syn(a), syn(a), ping(1), goAway(5), data(a, 'late')],
      hears: [`CREDIT ACK ${a} +0`, 'GOAWAY 1'],
      sees: [`stream ${a}`, ...failed(a), ...violated],
    },
    {
      name: 'the largest id that there is opens a stream',
      send: [syn(largest), data(largest, 'last')],
      hears: [`CREDIT ACK ${largest} +0`],
      sees: [`stream ${largest}`, `${largest} data last`],
    },
    {
      name: 'SYN with ACK opens a stream',
      send: [frame(1, SYN | ACK, a, 0), data(a, 'x', ACK)],
      hears: [`CREDIT ACK ${a} +0`],
      sees: [`stream ${a}`, `${a} data x`],
    },
    {
      name: 'SYN with FIN on WindowUpdate opens a stream that has ended, and acknowledges it once',
      send: [frame(1, SYN | FIN, a, 5)],
      hears: [`CREDIT ACK ${a} +0`],
      sees: [`stream ${a}`, `${a} end`],
    },
    {
      name: 'SYN with RST on Data: no stream, and the payload is skipped',
      send: [data(a, 'gone', SYN | RST), data(a, 'gone'), syn(b)],
      hears: [`CREDIT ACK ${b} +0`],
      sees: [`stream ${b}`],
    },
    {
      name: 'a refused stream: one RST for its SYN, silence for what the peer had sent behind it',
      options: { acceptBacklog: 0 },
      send: [data(a, 'early', SYN | FIN), data(a, 'more'), windowUpdate(a, 5), fin(a), rst(a), ping(3)],
      hears: [`CREDIT RST ${a} code 0`, 'PING ACK 3'],
      sees: [],
    },
    {
      name: 'a first frame of one byte more than the window is a protocol error as soon as its header is there',
      send: [frame(0, SYN, a, WINDOW + 1)],
      hears: [`CREDIT ACK ${a} +0`, 'GOAWAY 1'],
      sees: [`stream ${a}`, ...failed(a), ...violated],
    },
    {
      name: 'a header that announces 4 GiB is a protocol error on a live stream',
      send: [syn(a), frame(0, 0, a, MAX)],
      hears: [`CREDIT ACK ${a} +0`, 'GOAWAY 1'],
      sees: [`stream ${a}`, ...failed(a), ...violated],
    },
    {
      name: 'a header that announces 4 GiB for a stream that nobody opened: what follows is its payload, and skipped',
      send: [ping(1), frame(0, 0, b, MAX), ping(2), syn(a), goAway(1)],
      hears: ['PING ACK 1'],
      sees: [],
    },
    {
      name: 'a send window of exactly 2^32-1 is legal, in one grant',
      send: [syn(a, MAX - WINDOW)],
      hears: [`CREDIT ACK ${a} +0`],
      sees: [`stream ${a}`],
    },
    {
      name: 'a send window above 2^32-1 is a protocol error, granted with the SYN',
      send: [syn(a, MAX - WINDOW + 1)],
      hears: [`CREDIT ACK ${a} +0`, 'GOAWAY 1'],
      sees: [`stream ${a}`, ...failed(a), ...violated],
    },
    {
      name: 'a send window above 2^32-1 is a protocol error, granted with the ACK',
      opens: 1,
      send: [ack(ours, MAX)],
      hears: [`CREDIT SYN ${ours} +0`, 'GOAWAY 1'],
      sees: [`${ours} acknowledged`, ...failed(ours), ...violated],
    },
    {
      name: 'FIN with RST on Data: RST wins, after the payload',
      mayBeSeen: / data /,
      send: [syn(a), data(a, 'x', FIN | RST), syn(b)],
      hears: [`CREDIT ACK ${a} +0`, `CREDIT ACK ${b} +0`],
      sees: [`stream ${a}`, `stream ${b}`, `${a} error ERR_YAMUX_STREAM_RESET 0`, `${a} close`],
    },
    {
      name: 'RST with ACK, or with payload, shows that the peer had the stream: it is not refused',
      mayBeSeen: / data /,
      opens: 2,
      send: [frame(1, ACK | RST, ours, 4), data(oursToo, 'no', RST)],
      hears: [`CREDIT SYN ${ours} +0`, `CREDIT SYN ${oursToo} +0`],
      sees: [
        `${ours} acknowledged`,
        `${ours} error ERR_YAMUX_STREAM_RESET 4`,
        `${ours} close`,
        `${oursToo} acknowledged`,
        `${oursToo} error ERR_YAMUX_STREAM_RESET 0`,
        `${oursToo} close`,
      ],
    },
    {
      name: 'FIN as the first answer acknowledges, and ends what may be read',
      opens: 1,
      send: [fin(ours)],
      hears: [`CREDIT SYN ${ours} +0`],
      sees: [`${ours} acknowledged`, `${ours} end`],
    },
    {
      name: 'a version other than 0 is a protocol error in every type of frame',
      send: [syn(a), Buffer.from('ff0200010000000000000007', 'hex')],
      hears: [`CREDIT ACK ${a} +0`, 'GOAWAY 1'],
      sees: [`stream ${a}`, ...failed(a), ...violated],
    },
    {
      name: 'the largest type is as unknown as the first unknown one',
      send: [frame(255, SYN, a, 3)],
      hears: ['GOAWAY 1'],
      sees: violated,
    },
    {
      name: 'GoAway(0) says the same with flags and a stream id, and said again says nothing new',
      send: [syn(a), frame(3, SYN | RST, a, 0), goAway(0), data(a, 'on')],
      hears: [`CREDIT ACK ${a} +0`],
      sees: [`stream ${a}`, 'goAway 0', `${a} data on`],
    },
    {
      name: 'who has said GoAway(0) takes no streams, but may still open some',
      send: [goAway(0), syn(a), data(a, 'mine')],
      hears: [`CREDIT ACK ${a} +0`],
      sees: ['goAway 0', `stream ${a}`, `${a} data mine`],
    },
    ...[1, 2, MAX].map((code) => ({
      name: `GoAway(${code}) after GoAway(0) ends the session with that code, without an answer`,
      opens: 1,
      send: [goAway(0), goAway(code), ping(1)],
      hears: [`CREDIT SYN ${ours} +0`],
      sees: [
        'goAway 0',
        `goAway ${code}`,
        `${ours} error ERR_YAMUX_GO_AWAY ${code}`,
        `${ours} close`,
        `session error ERR_YAMUX_GO_AWAY ${code}`,
        'session close',
      ],
    })),
  ];

  testRows(role, rows);
});
