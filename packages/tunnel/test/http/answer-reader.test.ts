import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AnswerHead, RawHeaders } from '../../src/exchange/block.ts';
import { type AnswerListener, AnswerReader, type Asked } from '../../src/http/answer-reader.ts';

const GET: Asked = { method: 'GET', isUpgrade: false };

/** Writes down what it hears; bytes that follow each other are one. */
class Heard implements AnswerListener {
  readonly events: unknown[] = [];

  onInterim(status: number, reason: string, headers: RawHeaders): void {
    this.events.push(['interim', status, reason, ...headers]);
  }

  onAnswer({ status, reason, body, headers }: AnswerHead): void {
    this.events.push(['answer', status, reason, body, ...headers]);
  }

  onBody(bytes: Buffer): void {
    const last = this.events.at(-1);
    if (last instanceof String) this.events[this.events.length - 1] = new String(last + bytes.toString('latin1'));
    else this.events.push(new String(bytes.toString('latin1')));
  }

  onWhole(trailers: RawHeaders): void {
    this.events.push(['whole', ...trailers]);
  }

  onSwitch(status: number, reason: string, headers: RawHeaders, early: Buffer): void {
    this.events.push(['switch', status, reason, ...headers]);
    if (early.length > 0) this.onBody(early);
  }
}

interface Read {
  readonly events: readonly unknown[];
  readonly isPersistent: boolean;
  readonly isEnd: boolean;
}

/** Cut before each of `cuts`. */
function read(text: string, { asked = GET, maxHead = 16_384, cuts = [] as readonly number[] } = {}): Read {
  const heard = new Heard();
  const reader = new AnswerReader(heard, maxHead);
  reader.expect(asked);
  const places = [0, ...[...cuts].sort((one, other) => one - other), text.length];
  for (let index = 1; index < places.length; index += 1) {
    const bytes = Buffer.from(text.slice(places[index - 1], places[index]), 'latin1');
    if (bytes.length > 0) reader.read(bytes);
  }
  const { isPersistent } = reader;
  const isEnd = reader.ended();
  const events = heard.events.map((event) => (event instanceof String ? String(event) : event));
  return { events, isPersistent, isEnd };
}

const HEAD = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;
const bad = expect.objectContaining({ code: 'ERR_TUNNEL_BAD_ANSWER' });

describe('an answer', () => {
  it('has its head, byte for byte, and a body of its length', () => {
    const { events, isPersistent } = read(`${HEAD}Content-Length: 5\r\nX-A:\t caf\xe9 \t\r\nx-a:\r\n\r\nhello`);
    expect(events).toEqual([
      ['answer', 200, 'OK', 5, 'Content-Length', '5', 'X-A', 'caf\xe9', 'x-a', ''],
      'hello',
      ['whole'],
    ]);
    expect(isPersistent).toBe(true);
  });

  it('may come in chunks, with extensions and trailers', () => {
    const { events } = read(`${CHUNKED}3\r\nabc\r\n00A ;x="y"\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n`);
    expect(events.slice(1)).toEqual(['abc0123456789', ['whole', 'X-Sum', '1']]);
  });

  it('ends with its connection where nothing else says how long it is, and that connection with it', () => {
    const { events, isPersistent, isEnd } = read(`${HEAD}\r\nall`);
    expect([events, isPersistent, isEnd]).toEqual([[['answer', 200, 'OK', -2], 'all', ['whole']], false, true]);
  });

  it.each([
    ['HEAD', 'HEAD', `${HEAD}Content-Length: 5\r\n\r\n`],
    ['204', 'GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304', 'GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
  ])('has no body: %s', (_what, method, text) => {
    const { events, isPersistent } = read(text, { asked: { method, isUpgrade: false } });
    expect([events.length, (events[0] as unknown[])[3], events[1], isPersistent]).toEqual([2, -1, ['whole'], true]);
  });

  it('comes behind interim ones', () => {
    const { events } = read(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${HEAD}Content-Length: 0\r\n\r\n`);
    expect(events[0]).toEqual(['interim', 103, 'Early Hints', 'Link', '</a>']);
    expect(events.at(-1)).toEqual(['whole']);
  });

  it('may switch the connection for who asked, and what follows is no HTTP', () => {
    const text = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nHTTP/1.1';
    expect(read(text, { asked: { method: 'GET', isUpgrade: true } }).events).toEqual([
      ['switch', 101, 'Switching Protocols', 'Upgrade', 'x'],
      'HTTP/1.1',
    ]);
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'ERR_TUNNEL_UNEXPECTED_UPGRADE' }));
  });

  it.each([
    ['says close', `${HEAD}Content-Length: 0\r\nConnection: Foo, Close\r\n\r\n`, false],
    ['is of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', false],
    [
      'is of HTTP/1.0, and says keep-alive',
      'HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n',
      true,
    ],
    ['has a byte behind it', `${HEAD}Content-Length: 1\r\n\r\nab`, false],
    ['has a byte behind its last chunk', `${CHUNKED}0\r\n\r\nx`, false],
    ['is whole', `${CHUNKED}0\r\n\r\n`, true],
  ])('lets another request follow or not: it %s', (_what, text, isPersistent) => {
    expect(read(text).isPersistent).toBe(isPersistent);
  });

  it.each([
    ['two framings', `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['two lengths', `${HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`],
    ['one length twice', `${HEAD}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`],
    ['a signed length', `${HEAD}Content-Length: +5\r\n\r\n`],
    ['an empty length', `${HEAD}Content-Length:\r\n\r\n`],
    ['a length that no number holds', `${HEAD}Content-Length: 99999999999999999999\r\n\r\n`],
    ['a space before the colon', `${HEAD}Content-Length : 5\r\n\r\n`],
    ['a folded line', `${HEAD}X-A: b\r\n c\r\n\r\n`],
    ['no name', `${HEAD}: b\r\n\r\n`],
    ['no colon', `${HEAD}X-A\r\n\r\n`],
    ['a zero byte', `${HEAD}X-A: b\0\r\n\r\n`],
    ['a bare CR', `${HEAD}X-A: b\rX-B: c\r\n\r\n`],
    ['a bare LF', `${HEAD}X-A: b\nX-B: c\r\n\r\n`],
    ['bare LF alone', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['another protocol, before it has said all', 'SSH-2'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a chunk without size', `${CHUNKED}\r\n`],
    ['a signed size', `${CHUNKED}-1\r\n`],
    ['a size in no hex', `${CHUNKED}0x5\r\n`],
    ['a size that no number holds', `${CHUNKED}fffffffffffff0\r\n`],
    ['a bare LF behind a size', `${CHUNKED}5\nhello\r\n0\r\n\r\n`],
    ['a bare LF in an extension', `${CHUNKED}5;a\nb\r\nhello\r\n`],
    ['a chunk that is longer than it says', `${CHUNKED}2\r\nabc\r\n`],
    ['a bare LF behind a chunk', `${CHUNKED}2\r\nab\n0\r\n\r\n`],
    ['a trailer that is none', `${CHUNKED}0\r\nX A: b\r\n\r\n`],
  ])('is refused for %s', (_what, text) => {
    expect(() => read(text)).toThrow(bad);
    expect(() => read(text, { cuts: Array.from(text, (_character, index) => index) })).toThrow(bad);
  });

  it.each([
    ['a head', `${HEAD}X: ${'x'.repeat(2_000)}`],
    ['trailers', `${CHUNKED}0\r\n${'A: b\r\n'.repeat(400)}`],
  ])('is refused for %s that is too large, before it is whole and however it comes', (_what, text) => {
    expect(() => read(text, { maxHead: 1_000 })).toThrow(bad);
    expect(() => read(text, { maxHead: 1_000, cuts: Array.from(text, (_character, index) => index) })).toThrow(bad);
  });

  it('is refused for a line with the size of a chunk that does not end', () => {
    expect(() => read(`${CHUNKED}5;${'x'.repeat(20_000)}`)).toThrow(bad);
  });

  it.each([
    ['a head', HEAD],
    ['a body', `${HEAD}Content-Length: 5\r\n\r\nhell`],
    ['a chunk', `${CHUNKED}5\r\nhell`],
    ['chunks', `${CHUNKED}5\r\nhello\r\n`],
    ['trailers', `${CHUNKED}0\r\n`],
  ])('is not whole when its connection ends in the middle of %s', (_what, text) => {
    const { events, isEnd } = read(text);
    expect([isEnd, events.some((event) => Array.isArray(event) && event[0] === 'whole')]).toEqual([false, false]);
  });

  it('is the same however the connection cuts it', () => {
    const name = fc.stringMatching(/^[\w-]{1,8}$/).map((text) => `X-${text}`);
    const value = fc.stringMatching(/^[!-~\x80-\xff]{0,8}$/);
    const fields = fc.array(fc.tuple(name, value), { maxLength: 4 });
    const lines = (list: readonly (readonly [string, string])[]): string =>
      list.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const body = fc.string({ unit: fc.constantFrom('\r', '\n', '0', 'a'), maxLength: 40 });
    const framed = fc.oneof(
      fc.tuple(fields, body).map(([list, text]) => `${lines(list)}Content-Length: ${text.length}\r\n\r\n${text}`),
      fc.tuple(fields, fc.array(body, { maxLength: 4 }), fields).map(([list, parts, trailers]) => {
        const chunks = parts.filter((part) => part !== '').map((part) => `${part.length.toString(16)}\r\n${part}\r\n`);
        return `${lines(list)}Transfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n${lines(trailers)}\r\n`;
      }),
      fc.tuple(fields, body).map(([list, text]) => `${lines(list)}\r\n${text}`),
    );
    const interim = fc.array(
      fields.map((list) => `HTTP/1.1 103 Early Hints\r\n${lines(list)}\r\n`),
      { maxLength: 2 },
    );
    fc.assert(
      fc.property(interim, framed, fc.array(fc.nat(400), { maxLength: 30 }), (before, rest, places) => {
        const text = `${before.join('')}${HEAD}${rest}`;
        const whole = read(text);
        expect(whole.isEnd).toBe(true);
        expect(read(text, { cuts: places.map((place) => place % (text.length + 1)) })).toEqual(whole);
      }),
    );
  });
});
