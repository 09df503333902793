import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { forwardedHeaders } from '../../src/http/forwarded.ts';
import { endToEnd, framingOf, requestHeaders, responseHeaders } from '../../src/http/headers.ts';

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
    expect(endToEnd(raw)).toEqual(['Accept', '*/*']);
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
    expect(endToEnd(raw)).toEqual(['X-Kept', '3']);
  });

  it('keep Host and Content-Length even when Connection names them', () => {
    const raw = ['Connection', 'Host, Content-Length', 'Host', 'app.example', 'Content-Length', '3'];
    expect(endToEnd(raw)).toEqual(['Host', 'app.example', 'Content-Length', '3']);
  });

  it('keep duplicates, their order and their spelling', () => {
    const raw = ['Set-Cookie', 'a=1', 'set-cookie', 'b=2', 'SET-COOKIE', 'c=3'];
    expect(endToEnd(raw)).toEqual(raw);
  });

  it('say how the body is framed: the chunks of a GET stay chunks', () => {
    const request = message(['Host', 'a', 'Transfer-Encoding', 'chunked', 'Trailer', 'X-Sum']);
    expect(framingOf(request)).toBe('chunked');
    expect(requestHeaders(request, 'chunked')).toEqual([
      'Host',
      'a',
      'Trailer',
      'X-Sum',
      'Transfer-Encoding',
      'chunked',
    ]);
  });

  it('say that a POST has no body when it has none', () => {
    const request = message(['Host', 'a', 'Trailer', 'X-Sum'], 'POST');
    expect(framingOf(request)).toBe('none');
    expect(requestHeaders(request, 'none')).toEqual(['Host', 'a', 'Content-Length', '0', 'Connection', 'close']);
  });

  it('keep a Content-Length as it came', () => {
    const request = message(['Host', 'a', 'Content-Length', '7'], 'PUT');
    expect(framingOf(request)).toBe('sized');
    expect(requestHeaders(request, 'sized')).toEqual(['Host', 'a', 'Content-Length', '7']);
  });

  it('refuse a transfer coding that nobody here decodes', () => {
    const request = message(['Transfer-Encoding', 'gzip, chunked'], 'POST');
    expect(() => framingOf(request)).toThrow(expect.objectContaining({ code: 'ERR_TUNNEL_UNSUPPORTED_CODING' }));
  });

  it('of a response lose the announcement of trailers, and what the gateway says itself', () => {
    const head = message(['Trailer', 'X-Sum', 'ETag', '"1"', 'X-Served-By', 'somebody else']);
    expect(responseHeaders(head, ['x-served-by', 'alpha'])).toEqual(['ETag', '"1"', 'x-served-by', 'alpha']);
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
    expect(forwardedHeaders(message(raw), false)).toEqual([
      'X-Forwarded-For',
      'unknown',
      'X-Forwarded-Proto',
      'http',
      'X-Forwarded-Host',
      'app.example',
    ]);
  });

  it('goes on from a proxy that is trusted', () => {
    expect(forwardedHeaders(message(raw), true)).toEqual([
      'X-Forwarded-For',
      '10.0.0.9, unknown',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'b.example',
    ]);
  });
});
