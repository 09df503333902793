import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { NO_BODY, PIECES, type RequestHead } from '../../src/exchange/block.ts';
import { clientAddress, forwardedHeaders, isClaim } from '../../src/http/forwarded.ts';
import {
  answerBody,
  answerHeaders,
  endToEnd,
  hopHeaders,
  requestBody,
  statusLines,
  takesTrailers,
  trailersOf,
} from '../../src/http/headers.ts';

const keepAll = (): boolean => false;

function message(raw: readonly string[], method = 'GET'): IncomingMessage {
  const made = new IncomingMessage(new Socket());
  made.method = method;
  made.rawHeaders = [...raw];
  for (let index = 0; index < raw.length; index += 2)
    made.headers[(raw[index] as string).toLowerCase()] = raw[index + 1];
  return made;
}

describe('headers for the next hop', () => {
  it('lose the hop-by-hop fields, in any spelling', () => {
    const raw = ['connection', 'close', 'Keep-Alive', 'timeout=5', 'TE', 'trailers', 'Transfer-Encoding', 'chunked'];
    raw.push('Upgrade', 'h2c', 'Proxy-Authorization', 'Basic x', 'Proxy-Connection', 'close', 'Accept', '*/*');
    expect(endToEnd(raw, keepAll)).toEqual(['Accept', '*/*']);
  });

  it('lose every field that Connection names', () => {
    const raw = [
      'X-Secret',
      '1',
      'Connection',
      'close, X-Secret',
      'Connection',
      'x-other',
      'X-Other',
      '2',
      'X-Kept',
      '3',
    ];
    expect(endToEnd(raw, keepAll)).toEqual(['X-Kept', '3']);
  });

  it('keep Host and Content-Length even when Connection names them', () => {
    const raw = ['Connection', 'Host, Content-Length', 'Host', 'app.example', 'Content-Length', '3'];
    expect(endToEnd(raw, keepAll)).toEqual(['Host', 'app.example', 'Content-Length', '3']);
  });

  it('keep duplicates, their order and their spelling', () => {
    const raw = ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'SET-COOKIE', 'c=3'];
    expect(endToEnd(raw, keepAll)).toEqual(raw);
  });

  it('refuse a transfer coding that nobody here decodes, in requests and in answers', () => {
    const coded = message(['Transfer-Encoding', 'gzip, chunked'], 'POST');
    const refusal = expect.objectContaining({ code: 'ERR_TUNNEL_UNSUPPORTED_CODING' });
    expect(() => requestBody(coded)).toThrow(refusal);
    expect(() => answerBody(200, ['Transfer-Encoding', 'gzip, chunked'], 'GET')).toThrow(refusal);
  });

  it('say that trailers are wanted, if the client says so to this hop', () => {
    expect(takesTrailers(message(['TE', 'trailers']))).toBe(true);
    expect(takesTrailers(message(['TE', 'deflate;q=0.5, trailers;q=1']))).toBe(true);
    expect(takesTrailers(message(['TE', 'deflate']))).toBe(false);
    expect(takesTrailers(message([]))).toBe(false);
  });
});

describe('the head of a request on an HTTP/1.1 connection', () => {
  const head = (given: Partial<RequestHead>): RequestHead => ({
    method: 'GET',
    target: '/',
    body: NO_BODY,
    upgrade: '',
    headers: ['Host', 'a'],
    ...given,
  });

  it.each([
    [
      'the chunks of a GET, which stay chunks',
      { body: PIECES },
      ['Transfer-Encoding', 'chunked', 'Connection', 'keep-alive'],
    ],
    ['a body of a length', { method: 'PUT', body: 7 }, ['Content-Length', '7', 'Connection', 'keep-alive']],
    ['a POST without one', { method: 'POST' }, ['Content-Length', '0', 'Connection', 'close']],
    ['a GET without one', {}, ['Connection', 'close']],
    ['an upgrade', { upgrade: 'websocket' }, ['Connection', 'Upgrade', 'Upgrade', 'websocket']],
    [
      'an upgrade by POST, or node:http would end a chunked body',
      { upgrade: 'foo', method: 'POST' },
      ['Content-Length', '0', 'Connection', 'Upgrade', 'Upgrade', 'foo'],
    ],
  ])('frames %s', (_what, given, framing) => {
    expect(hopHeaders(head(given), false)).toEqual(['Host', 'a', ...framing]);
  });

  it('says nothing else of the framing, whatever stands there', () => {
    const headers = [
      'Content-Length',
      '9',
      'Transfer-Encoding',
      'x',
      'Connection',
      'y',
      'Upgrade',
      'z',
      'Trailer',
      'X-Sum',
    ];
    expect(hopHeaders(head({ headers }), true)).toEqual(['Connection', 'keep-alive']);
  });

  it('names TE in Connection where trailers are wanted', () => {
    expect(hopHeaders(head({ headers: ['TE', 'trailers'] }), true)).toEqual([
      'TE',
      'trailers',
      'Connection',
      'keep-alive, TE',
    ]);
  });
});

describe('the head of an answer', () => {
  const framing = { status: 200, body: NO_BODY, isHead: false, takesChunks: true };

  it('has what the gateway says itself in place of what the origin calls the same', () => {
    const raw = ['ETag', '"1"', 'X-Served-By', 'somebody else'];
    expect(answerHeaders(raw, framing, ['X-Served-By', 'alpha'])).toEqual(['ETag', '"1"', 'X-Served-By', 'alpha']);
  });

  it.each([
    ['of HEAD keeps the length of what is not sent', { isHead: true }, ['Content-Length', '5']],
    ['304 does so too', { status: 304 }, ['Content-Length', '5']],
    ['204 does not', { status: 204 }, []],
    ['with a body says how long that is, and nothing else', { body: 7 }, ['Content-Length', '7']],
    ['with a body of unknown length announces its trailers', { body: PIECES }, ['Trailer', 'X-Sum']],
    ['does not for a client of HTTP/1.0', { body: PIECES, takesChunks: false }, []],
  ])('%s', (_what, given, expected) => {
    expect(answerHeaders(['Content-Length', '5', 'Trailer', 'X-Sum'], { ...framing, ...given }, [])).toEqual(expected);
  });

  it('in bytes refuses what HTTP cannot carry', () => {
    expect(String(statusLines(103, 'Early Hints', ['Link', '</a>']))).toBe(
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
    );
    expect(() => statusLines(103, '', ['Link', 'a\r\nX: b'])).toThrow(
      expect.objectContaining({ code: 'ERR_TUNNEL_BAD_ANSWER' }),
    );
    expect(() => statusLines(103, '', ['a b', 'c'])).toThrow(
      expect.objectContaining({ code: 'ERR_TUNNEL_BAD_ANSWER' }),
    );
  });
});

describe('trailers', () => {
  it('are none of those that must come before a body, or that the gateway alone says', () => {
    const raw = ['X-Sum', '5', 'Authorization', 'x', 'Host', 'b', 'X-Forwarded-For', '6.6.6.6', 'Content-Length', '1'];
    expect(trailersOf(raw, (name) => isClaim(name, false))).toEqual(['X-Sum', '5']);
  });
});

describe('what is told about the client', () => {
  const raw = [
    'Host',
    'app.example',
    'X-Forwarded-For',
    '10.0.0.9',
    'X-Forwarded-Proto',
    'https',
    'X-Forwarded-Host',
    'b.example',
  ];

  it('is what the gateway saw itself, by default', () => {
    expect(forwardedHeaders(message(raw), 'app.example', 0)).toEqual([
      'X-Forwarded-For',
      'unknown',
      'X-Forwarded-Proto',
      'http',
      'X-Forwarded-Host',
      'app.example',
    ]);
  });

  it('goes on from a proxy that is trusted', () => {
    expect(forwardedHeaders(message(raw), 'app.example', 1)).toEqual([
      'X-Forwarded-For',
      '10.0.0.9, unknown',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'b.example',
    ]);
  });

  it('is the address that the first trusted proxy saw, without a port', () => {
    const chain = message(['X-Forwarded-For', '6.6.6.6, 203.0.113.7:5000, [2001:db8::1]:443, ::ffff:10.0.0.1']);
    expect([0, 1, 2, 3, 4, 9].map((hops) => clientAddress(chain, hops))).toEqual([
      'unknown',
      '10.0.0.1',
      '2001:db8::1',
      '203.0.113.7',
      '6.6.6.6',
      '6.6.6.6',
    ]);
  });

  it('is nothing that a client claims, in any spelling, unless a proxy is trusted', () => {
    const claims = ['x-forwarded-for', 'x-forwarded-port', 'x_forwarded_prefix', 'forwarded', 'x-real-ip', 'x_real_ip'];
    expect(claims.filter((name) => !isClaim(name, false))).toEqual([]);
    expect(claims.filter((name) => !isClaim(name, true))).toEqual(['x-forwarded-port', 'forwarded', 'x-real-ip']);
    expect(isClaim('x-forward', false)).toBe(false);
  });
});
