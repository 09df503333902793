// What we do with what we receive: a table of raw frames, each row cut at every point of its bytes.

import { type Row, testRows } from '../support/frame-rows.ts';
import {
  ACK,
  ack,
  data,
  FIN,
  fin,
  frame,
  goAway,
  ping,
  pong,
  RST,
  rst,
  SYN,
  syn,
  windowUpdate,
} from '../support/frames.ts';

const WINDOW = 262_144;

const rows: Row[] = [
  {
    name: 'SYN on WindowUpdate opens a stream, acknowledged by a frame of its own',
    send: [syn(1)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1'],
  },
  {
    name: 'SYN on Data opens a stream and delivers the payload',
    send: [data(1, 'hello', SYN)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1', '1 data hello'],
  },
  {
    name: 'SYN and FIN on Data: acknowledged once, delivered, ended',
    send: [data(1, 'all', SYN | FIN)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1', '1 data all', '1 end'],
  },
  {
    name: 'SYN with a delta grants more than the initial window',
    send: [syn(1, 1000), data(1, 'x')],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1', '1 data x'],
  },
  {
    name: 'SYN with RST is ignored',
    send: [frame(1, SYN | RST, 1, 0), syn(3)],
    hears: ['CREDIT ACK 3 +0'],
    sees: ['stream 3'],
  },
  {
    name: 'SYN on a live id is a protocol error',
    send: [syn(1), syn(1)],
    hears: ['CREDIT ACK 1 +0', 'GOAWAY 1'],
    sees: ['stream 1', '1 error ERR_YAMUX_PROTOCOL', '1 close', 'session error ERR_YAMUX_PROTOCOL', 'session close'],
  },
  {
    name: 'SYN with our parity is a protocol error',
    send: [syn(2)],
    hears: ['GOAWAY 1'],
    sees: ['session error ERR_YAMUX_PROTOCOL', 'session close'],
  },
  {
    name: 'SYN with id 0 is a protocol error',
    send: [syn(0)],
    hears: ['GOAWAY 1'],
    sees: ['session error ERR_YAMUX_PROTOCOL', 'session close'],
  },
  {
    name: 'ids out of order and ids used again are accepted',
    send: [syn(5), syn(3), rst(3), syn(3)],
    hears: ['CREDIT ACK 5 +0', 'CREDIT ACK 3 +0', 'CREDIT ACK 3 +0'],
    sees: ['stream 5', 'stream 3', '3 error ERR_YAMUX_STREAM_RESET 0', '3 close', "stream 3'"],
  },
  {
    name: 'an unknown version is a protocol error',
    send: [syn(1), Buffer.from('010000000000000100000000', 'hex')],
    hears: ['CREDIT ACK 1 +0', 'GOAWAY 1'],
    sees: ['stream 1', '1 error ERR_YAMUX_PROTOCOL', '1 close', 'session error ERR_YAMUX_PROTOCOL', 'session close'],
  },
  {
    name: 'an unknown type is a protocol error',
    send: [frame(4, 0, 0, 0)],
    hears: ['GOAWAY 1'],
    sees: ['session error ERR_YAMUX_PROTOCOL', 'session close'],
  },
  {
    name: 'Data, credit, FIN and RST for a stream that nobody opened are skipped in silence',
    send: [data(7, 'lost'), windowUpdate(7, 10), fin(7), rst(7), data(0, 'lost'), ack(9), syn(1)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1'],
  },
  {
    name: 'Data after FIN resets that stream and leaves the others alone',
    mayBeSeen: / end$/,
    send: [syn(1), syn(3), fin(1), data(1, 'late'), data(3, 'fine')],
    hears: ['CREDIT ACK 1 +0', 'CREDIT ACK 3 +0', 'CREDIT RST 1 code 0'],
    sees: ['stream 1', 'stream 3', '3 data fine', '1 error ERR_YAMUX_STREAM_PROTOCOL', '1 close'],
  },
  {
    name: 'a second FIN, a second ACK, an ACK on their stream, and empty Data are ignored',
    send: [syn(1), ack(1), ack(1), data(1, ''), data(1, 'x', FIN), fin(1), fin(1)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1', '1 data x', '1 end'],
  },
  {
    name: 'RST discards and errors, with its code',
    send: [syn(1), rst(1, 42)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1', '1 error ERR_YAMUX_STREAM_RESET 42', '1 close'],
  },
  {
    name: 'RST wins over FIN in one frame',
    send: [syn(1), frame(1, FIN | RST, 1, 3)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1', '1 error ERR_YAMUX_STREAM_RESET 3', '1 close'],
  },
  {
    name: "RST after the peer's FIN: what came is delivered and ends, then the rest fails",
    send: [syn(1), data(1, 'whole'), fin(1), rst(1, 5)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1', '1 data whole', '1 end', '1 error ERR_YAMUX_STREAM_RESET 5', '1 close'],
  },
  {
    name: 'RST on Data comes after its payload, and discards what is unread',
    mayBeSeen: / data /,
    send: [syn(1), data(1, 'bye', RST), syn(3)],
    hears: ['CREDIT ACK 1 +0', 'CREDIT ACK 3 +0'],
    sees: ['stream 1', 'stream 3', '1 error ERR_YAMUX_STREAM_RESET 0', '1 close'],
  },
  {
    name: 'a WindowUpdate with RST carries an error code, not credit',
    send: [syn(1), rst(1, 0xffffffff)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1', '1 error ERR_YAMUX_STREAM_RESET 4294967295', '1 close'],
  },
  {
    name: 'a send window above 2^32-1 is a protocol error',
    send: [syn(1), windowUpdate(1, 0xffffffff - WINDOW), windowUpdate(1, 1)],
    hears: ['CREDIT ACK 1 +0', 'GOAWAY 1'],
    sees: ['stream 1', '1 error ERR_YAMUX_PROTOCOL', '1 close', 'session error ERR_YAMUX_PROTOCOL', 'session close'],
  },
  {
    name: 'a ping is answered with its value on stream 0, whatever else its header says',
    send: [ping(7), frame(2, SYN | ACK, 5, 0xffffffff)],
    hears: ['PING ACK 7', 'PING ACK 4294967295'],
    sees: [],
  },
  {
    name: 'a ping without SYN is an answer, and one that nobody asked for is ignored',
    send: [pong(7), frame(2, 0, 0, 7), syn(1)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1'],
  },
  {
    name: 'GoAway(0) leaves live streams alone',
    send: [syn(1), goAway(0), data(1, 'still')],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1', 'goAway 0', '1 data still'],
  },
  {
    name: 'any other GoAway ends the session with its code',
    opens: 1,
    send: [goAway(7), syn(3)],
    hears: ['CREDIT SYN 2 +0'],
    sees: ['goAway 7', '2 error ERR_YAMUX_GO_AWAY 7', '2 close', 'session error ERR_YAMUX_GO_AWAY 7', 'session close'],
  },
  {
    name: 'flags beyond the four known ones are ignored',
    send: [frame(1, SYN | 0xfff0, 1, 0)],
    hears: ['CREDIT ACK 1 +0'],
    sees: ['stream 1'],
  },
  {
    name: 'any frame on a stream that we opened acknowledges it',
    opens: 3,
    send: [data(2, 'x'), windowUpdate(4, 5), ack(6)],
    hears: ['CREDIT SYN 2 +0', 'CREDIT SYN 4 +0', 'CREDIT SYN 6 +0'],
    sees: ['2 acknowledged', '2 data x', '4 acknowledged', '6 acknowledged'],
  },
  {
    name: 'RST before anything else on a stream that we opened refuses it',
    opens: 2,
    send: [rst(2, 9), ack(4), rst(4, 9)],
    hears: ['CREDIT SYN 2 +0', 'CREDIT SYN 4 +0'],
    sees: [
      '4 acknowledged',
      '2 error ERR_YAMUX_STREAM_RESET 9 refused',
      '2 close',
      '4 error ERR_YAMUX_STREAM_RESET 9',
      '4 close',
    ],
  },
];

testRows('server', rows);
