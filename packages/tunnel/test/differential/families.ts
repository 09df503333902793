// Families of programs. Each varies what it is about and leaves the rest plain, so that what it finds is about that.
import fc from 'fast-check';
import type { Program } from './program.ts';
import {
  among,
  answerFraming,
  answerTrailers,
  chunk,
  claim,
  connection,
  cut,
  extension,
  field,
  hop,
  interim,
  just,
  large,
  leaving,
  long,
  many,
  method,
  noInterim,
  pieces,
  programs,
  rarely,
  requestFraming,
  requestTrailers,
  size,
  someFields,
  status,
  talk,
} from './program-arbitrary.ts';

/** By what they are about. */
export const FAMILIES: Readonly<Record<string, fc.Arbitrary<Program>>> = {
  'bodies by any framing': programs({
    request: { method, framing: requestFraming, size, chunk, extension },
    answer: { status, framing: answerFraming, size, chunk, extension, pieces },
    pieces,
  }),
  'interim answers': programs({
    answer: { interim: fc.array(interim, { maxLength: 4 }), pieces },
    request: { version: rarely(just('1.1'), just('1.0')) },
  }),
  'Expect: 100-continue': programs({
    request: {
      method: among('POST', 'PUT'),
      expect: among('waits', 'sends'),
      framing: among('sized', 'chunked'),
      size,
    },
    answer: {
      when: among('head', 'body'),
      status: among('200', '413', '417'),
      interim: fc.array(interim, { maxLength: 2 }),
      pieces,
    },
  }),
  trailers: programs({
    request: {
      method: among('POST', 'GET'),
      framing: among('chunked', 'chunked', 'none'),
      size,
      trailers: requestTrailers,
      fields: fc.array(hop, { maxLength: 2 }),
    },
    answer: { framing: among('chunked', 'chunked', 'sized'), size, trailers: answerTrailers, pieces },
  }),
  'answers before the request has ended': programs({
    request: { method: among('POST', 'PUT'), framing: among('sized', 'chunked'), size: large, chunk: just(100_000) },
    answer: {
      when: just('head'),
      status: among('413', '200'),
      ending: among('keep', 'FIN', 'closes unread'),
      connection: among('', 'close'),
      pieces: among('one', 'parts'),
    },
  }),
  'HTTP/1.0': programs({
    request: {
      method: among('GET', 'POST'),
      version: just('1.0'),
      connection: among('', 'keep-alive', 'close'),
      framing: requestFraming,
      size,
    },
    answer: {
      framing: among('sized', 'chunked', 'close'),
      size,
      trailers: answerTrailers,
      connection: among('', 'keep-alive', 'close'),
      interim: rarely(noInterim, fc.array(interim, { maxLength: 2 })),
      pieces,
    },
    atMost: 3,
  }),
  'clients that half-close': programs({
    request: { method: among('GET', 'POST'), framing: requestFraming, size },
    answer: {
      framing: among('sized', 'chunked', 'close'),
      size,
      delay: among(0, 10),
      pieces,
      cut: rarely(just(null), cut),
    },
    leaving: fc.record({ how: just('half'), at: fc.option(fc.nat(2_000), { freq: 1 }), after: just(0) }),
    pieces,
  }),
  pipelines: programs({
    request: {
      method: among('GET', 'GET', 'POST', 'HEAD'),
      framing: requestFraming,
      size: fc.nat(50),
      connection: rarely(just(''), just('close')),
      after: fc.nat(3),
      upgrade: rarely(just(''), among('h2c', 'foo'), 5),
    },
    answer: {
      delay: among(0, 0, 15),
      framing: among('sized', 'chunked', 'close'),
      size: fc.nat(50),
      ending: rarely(just('keep'), among('FIN', 'RST')),
      connection: rarely(just(''), just('close')),
    },
    atMost: 8,
    pieces: among('one', 'parts'),
  }),
  'clients that leave': programs({
    request: { method: among('GET', 'POST'), framing: requestFraming, size: fc.nat(50) },
    answer: { delay: among(0, 0, 15), framing: among('sized', 'chunked'), size },
    atMost: 8,
    leaving,
    pieces,
  }),
  'answers without a body': programs({
    request: { method: among('HEAD', 'GET', 'POST') },
    answer: {
      status: among('200', '204', '304', '404'),
      framing: answerFraming,
      size: fc.nat(50),
      beyond: among(0, 0, 5),
      pieces,
      delay: just(0),
    },
  }),
  'bytes beyond the end of an answer': programs({
    request: { method: among('GET', 'HEAD', 'POST') },
    answer: {
      status: among('200', '204', '304'),
      framing: among('sized', 'chunked', 'none'),
      size: fc.nat(50),
      beyond: fc.nat(20),
      pieces: among('one', 'parts'),
      ending: among('keep', 'FIN', 'RST'),
    },
  }),
  upgrades: programs({
    request: {
      upgrade: among('', 'websocket', 'foo', 'h2c'),
      version: rarely(just('1.1'), just('1.0')),
      method: among('GET', 'GET', 'POST'),
      framing: rarely(just('none'), among('sized', 'chunked'), 4),
      size: fc.nat(20),
      behind: among(0, 0, 9),
    },
    answer: {
      status: among('101', '101', '200', '426'),
      talk: talk,
      framing: among('sized', 'chunked', 'none'),
      interim: rarely(noInterim, fc.array(interim, { maxLength: 2 })),
      pieces,
    },
    atMost: 3,
    pieces,
  }),
  targets: programs({
    request: { method: among('GET', 'OPTIONS', 'CONNECT', 'POST'), target: among('origin', 'absolute', 'asterisk') },
  }),
  fields: programs({
    request: { fields: someFields, method: among('GET', 'POST') },
    answer: { fields: someFields, pieces },
  }),
  'fields of one hop': programs({
    request: {
      fields: fc.array(fc.oneof(hop, field), { maxLength: 5 }),
      connection,
      method: among('GET', 'POST'),
      framing: requestFraming,
      size: fc.nat(20),
    },
    answer: {
      fields: fc.array(fc.oneof(hop, field), { maxLength: 5 }),
      connection: among('', 'X-Hop', 'close, X-Hop', 'keep-alive'),
    },
  }),
  Via: programs({ request: { fields: fc.array(fc.oneof(hop, field), { maxLength: 4 }) } }),
  'claims of the client': programs({
    request: {
      fields: fc.array(fc.oneof(claim, claim, field), { maxLength: 4 }),
      connection: rarely(just(''), just('X-Forwarded-For')),
    },
  }),
  'many or long fields': programs({
    request: {
      fields: fc.oneof(just([]), many, long),
      method: among('GET', 'POST'),
      framing: among('none', 'sized', 'chunked'),
      size: fc.nat(20),
    },
    answer: { fields: fc.oneof(just([]), many, long) },
  }),
  'odd answers': programs({
    request: { method: among('GET', 'GET', 'POST', 'HEAD') },
    answer: {
      status: among('200', '042', '099', '200', '600', '999'),
      framing: among('sized', 'both', 'gzip, chunked', 'two sizes', 'close'),
      size: fc.nat(30),
      pieces,
    },
  }),
  'odd requests': programs({
    request: {
      method: among('GET', 'POST', 'POST'),
      framing: among('none', 'sized', 'chunked', 'both', 'gzip, chunked'),
      host: rarely(just('one'), among('none', 'two', 'bad'), 2),
      version: rarely(just('1.1'), just('1.0')),
      connection: among('', 'keep-alive'),
      size: fc.nat(30),
    },
    atMost: 3,
  }),
  'answers that are cut': programs({
    request: { method: among('GET', 'POST', 'HEAD'), version: rarely(just('1.1'), just('1.0')) },
    answer: {
      framing: answerFraming,
      size,
      chunk,
      cut,
      ending: among('keep', 'FIN', 'RST'),
      pieces,
      interim: rarely(noInterim, fc.array(interim, { maxLength: 2 })),
    },
  }),
  'requests that are cut': programs({
    request: { method: among('POST', 'PUT'), framing: among('sized', 'chunked'), size, chunk },
    answer: { when: among('body', 'body', 'head'), size },
    leaving: fc.record({ how: among('half', 'close', 'reset'), at: fc.nat(2_000), after: just(0) }),
    pieces,
  }),
  everything: programs({
    request: {
      ...{
        method: fc.oneof(method, among('CONNECT')),
        target: rarely(just('origin'), among('absolute', 'asterisk')),
        version: rarely(just('1.1'), just('1.0')),
      },
      ...{
        host: rarely(just('one'), among('none', 'two', 'bad'), 20),
        fields: fc.array(fc.oneof(field, hop, claim), { maxLength: 4 }),
        connection,
      },
      ...{
        upgrade: rarely(just(''), among('foo', 'h2c')),
        behind: among(0, 0, 9),
        expect: rarely(just('no'), among('waits', 'sends')),
      },
      ...{
        framing: rarely(requestFraming, among('both', 'gzip, chunked'), 15),
        size,
        chunk,
        extension,
        trailers: requestTrailers,
        after: fc.nat(2),
      },
    },
    answer: {
      ...{
        when: rarely(just('body'), just('head'), 4),
        delay: among(0, 0, 5),
        interim: rarely(noInterim, fc.array(interim, { maxLength: 3 }), 3),
      },
      ...{
        status: rarely(status, among('101', '204', '304', '042'), 3),
        fields: someFields,
        connection: among('', 'X-Hop', 'close'),
        talk,
      },
      ...{
        framing: rarely(answerFraming, among('both', 'gzip, chunked', 'two sizes'), 15),
        size,
        chunk,
        extension,
        trailers: answerTrailers,
      },
      ...{
        beyond: rarely(just(0), just(4)),
        cut: rarely(just(null), cut),
        ending: among('keep', 'keep', 'FIN', 'RST'),
        pieces,
      },
    },
    atMost: 4,
    leaving: rarely(just(null), leaving, 3),
    pieces,
  }),
};
