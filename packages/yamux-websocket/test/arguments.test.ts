import { EventEmitter } from 'node:events';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import * as all from '../src/index.ts';
import { FakeSocket } from './support/fake-socket.ts';

const functions: Readonly<Record<string, unknown>> = { ...all };

/** A function of the package, as a program without types calls it. */
function untyped(name: keyof typeof all): (...args: readonly unknown[]) => unknown {
  return functions[name] as never;
}

const url = 'ws://127.0.0.1:9/';
const onSession = (): void => {};
const kept = (more: object): unknown => untyped('keepConnected')({ urls: url, onSession, ...more });
const accepting = (more: object): unknown =>
  untyped('acceptUpgrades')(createServer(), { path: '/', authenticate: () => true, onSession, ...more });

const stopped = all.keepConnected({ urls: url, onSession, signal: AbortSignal.abort() });

/** The message of the error, thrown or as a rejection. */
async function refusal(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as Error).message;
  }
  return expect.fail('was not refused');
}

describe('an unknown option is refused, and the error names the option that was probably meant', () => {
  it.each<[string, string, () => unknown]>([
    ['hedaers', "dial(); did you mean 'headers'?", () => untyped('dial')(url, { hedaers: {} })],
    ['timeout', "dial(); did you mean 'handshakeTimeout'?", () => untyped('dial')(url, { timeout: 1 })],
    ['mask', "dial(); did you mean 'maskPayload'?", () => untyped('dial')(url, { mask: true })],
    [
      'writetimeout',
      "stream; did you mean 'writeTimeout'?",
      () => untyped('dial')(url, { stream: { writetimeout: 1 } }),
    ],
    ['auth', "acceptUpgrades(); did you mean 'authenticate'?", () => accepting({ auth: () => true })],
    ['subprotocol', "acceptUpgrades(); did you mean 'subprotocols'?", () => accepting({ subprotocol: 'x' })],
    ['closeTimeOut', "stream; did you mean 'closeTimeout'?", () => accepting({ stream: { closeTimeOut: 1 } })],
    ['url', "keepConnected(); did you mean 'urls'?", () => kept({ url })],
    ['handshakeTimout', "dial; did you mean 'handshakeTimeout'?", () => kept({ dial: { handshakeTimout: 1 } })],
    ['max', 'backoff; expected one of base, cap, resetAfter, goAwayJitter', () => kept({ backoff: { max: 1 } })],
    [
      'highWatermark',
      "the byte stream; did you mean 'highWaterMark'?",
      () => untyped('webSocketStream')(new FakeSocket(), { highWatermark: 1 }),
    ],
    [
      'wsping',
      "the stream of a session; did you mean 'wsPing'?",
      () => untyped('client')(new FakeSocket(), {}, { wsping: 1 }),
    ],
    [
      'readPauseBytes',
      'the stream of a session; expected one of maxMessageBytes, maxInboundMessageBytes, highWaterMark, maxBufferedBytes, writeTimeout, closeTimeout, wsPing, messageBudget, carrier',
      () => untyped('server')(new FakeSocket(), {}, { readPauseBytes: 1 }),
    ],
    [
      'maxMessageByte',
      "the byte stream; did you mean 'maxMessageBytes'?",
      () => untyped('recommendedWsOptions')({}, { maxMessageByte: 1 }),
    ],
    ...(
      [
        ['dial()', (yamux) => untyped('dial')(url, { yamux })],
        ['keepConnected()', (yamux) => kept({ dial: { yamux } })],
        ['acceptUpgrades()', (yamux) => accepting({ yamux })],
        ['client()', (yamux) => untyped('client')(new FakeSocket(), yamux)],
        ['server()', (yamux) => untyped('server')(new FakeSocket(), yamux)],
        ['recommendedWsOptions()', (yamux) => untyped('recommendedWsOptions')(yamux)],
      ] satisfies [string, (yamux: object) => unknown][]
    ).map(([_of, attempt]): [string, string, () => unknown] => [
      'maxframepayload',
      "yamux; did you mean 'maxFramePayload'?",
      () => attempt({ maxframepayload: 1 }),
    ]),
    ['after', 'stop(); expected one of timeout', () => stopped.stop({ after: 1 } as object)],
  ])('%s of %s', async (name, rest, attempt) => {
    expect(await refusal(attempt)).toBe(`Unknown option '${name}' of ${rest}`);
  });
});

describe('a value that is not an options object is refused', () => {
  const takers: readonly (readonly [string, (options: unknown) => unknown])[] = [
    ['dial()', (options) => untyped('dial')(url, options)],
    ['keepConnected()', (options) => untyped('keepConnected')(options)],
    ['acceptUpgrades()', (options) => untyped('acceptUpgrades')(createServer(), options)],
    ['the byte stream', (options) => untyped('webSocketStream')(new FakeSocket(), options)],
    ['the stream of a session', (options) => untyped('client')(new FakeSocket(), {}, options)],
    ['the stream of a session', (options) => untyped('server')(new FakeSocket(), {}, options)],
    ['yamux', (options) => untyped('server')(new FakeSocket(), options)],
    ['yamux', (options) => untyped('recommendedWsOptions')(options)],
    ['the byte stream', (options) => untyped('recommendedWsOptions')({}, options)],
    ['yamux', (options) => untyped('dial')(url, { yamux: options })],
    ['stream', (options) => untyped('dial')(url, { stream: options })],
    ['ws', (options) => untyped('dial')(url, { ws: options })],
    ['backoff', (options) => kept({ backoff: options })],
    ['ws', (options) => accepting({ ws: options })],
  ];
  /** A function returns the options for each client. */
  const byIdentity: typeof takers = [
    ['yamux', (options) => accepting({ yamux: options })],
    ['stream', (options) => accepting({ stream: options })],
  ];

  it.each(takers)('as options of %s: a function', async (owner, take) => {
    const advice =
      owner === 'yamux' || owner === 'dial()' ? "; listen on the session with .on('stream', …) instead" : '';
    const expected = `Expected the options of ${owner} to be an object, got a function${advice}`;
    expect(await refusal(() => take(() => {}))).toBe(expected);
  });

  it.each([...takers, ...byIdentity])('as options of %s', async (owner, take) => {
    const expected = `Expected the options of ${owner} to be an object, got `;
    expect(await refusal(() => take(null))).toBe(`${expected}null; leave it out instead`);
    expect(await refusal(() => take(30))).toBe(`${expected}the number 30`);
    expect(await refusal(() => take([]))).toBe(`${expected}an array`);
    expect(await refusal(() => take('Bearer secret'))).toBe(`${expected}a string`);
    expect(await refusal(() => take(new EventEmitter()))).toBe(`${expected}an object of EventEmitter`);
    expect(await refusal(() => take(AbortSignal.abort()))).toBe(`${expected}an object of AbortSignal`);
  });

  it('as a message budget', async () => {
    const message = await refusal(() => untyped('client')(new FakeSocket(), {}, { messageBudget: 1_000 }));
    expect(message).toBe('Expected messageBudget to be a MessageBudget, got the number 1000');
  });

  it('undefined, if options are required', async () => {
    expect(await refusal(() => untyped('keepConnected')())).toBe(
      'Expected the options of keepConnected(): urls and onSession',
    );
    expect(await refusal(() => untyped('acceptUpgrades')(createServer()))).toBe(
      'Expected the options of acceptUpgrades(): path, authenticate and onSession',
    );
  });
});

describe('a value of the wrong kind is refused before anything is connected', () => {
  it.each<[string, () => unknown]>([
    [
      'Expected headers to be an object of names and values, got an object of Headers: pass Object.fromEntries(headers)',
      () => untyped('dial')(url, { headers: new Headers() }),
    ],
    [
      'Expected headers to be an object of names and values, got a string',
      () => untyped('dial')(url, { headers: 'Bearer secret' }),
    ],
    [
      'Expected subprotocols to be an array of strings, got a string',
      () => untyped('dial')(url, { subprotocols: 'yamux.v1' }),
    ],
    ['Expected subprotocols to be an array of strings, got a string', () => accepting({ subprotocols: 'yamux.v1' })],
    [
      'Expected signal to be an AbortSignal, got an object of AbortController: pass its signal',
      () => untyped('dial')(url, { signal: new AbortController() }),
    ],
    [
      'Expected signal to be an AbortSignal, got an object of AbortController: pass its signal',
      () => kept({ signal: new AbortController() }),
    ],
    [
      'Expected handshakeTimeout to be a number of milliseconds, got "10s"',
      () => untyped('dial')(url, { handshakeTimeout: '10s' }),
    ],
    ['Expected ws without headers: pass headers to dial()', () => untyped('dial')(url, { ws: { headers: {} } })],
    ['Expected maskPayload to be true or false, got the number 0', () => untyped('dial')(url, { maskPayload: 0 })],
    [
      'Expected dial without a signal, got one: pass it to keepConnected(), beside dial',
      () => kept({ dial: { signal: new AbortController().signal } }),
    ],
    ['Expected onRetry to be a function, got an object of Object', () => kept({ onRetry: {} })],
    ['Expected onRefused to be a function, got true', () => accepting({ onRefused: true })],
    ['Expected checkOrigin to be a function, got a string', () => accepting({ checkOrigin: 'https://here.example' })],
    ['Expected requireSubprotocol to be true or false, got a string', () => accepting({ requireSubprotocol: 'no' })],
    ['Expected ws without port: the HTTP server listens', () => accepting({ ws: { port: 8080 } })],
    ['Expected ws without verifyClient: authenticate does this', () => accepting({ ws: { verifyClient: () => true } })],
    [
      'Expected the http.Server that has the upgrades, got a function: pass createServer(app)',
      () => untyped('acceptUpgrades')(() => {}, {}),
    ],
    [
      'Expected the http.Server that has the upgrades, got an object of WebSocketServer',
      () => untyped('acceptUpgrades')(new WebSocketServer({ noServer: true }), {}),
    ],
    ['Expected the http.Server that has the upgrades, got the number 8080', () => untyped('acceptUpgrades')(8080, {})],
    [
      'Expected a session that client(), server(), dial() or acceptUpgrades() of this package made, got null',
      () => untyped('socketClosed')(null),
    ],
  ])('%s', async (message, attempt) => {
    expect(await refusal(attempt)).toBe(message);
  });
});
