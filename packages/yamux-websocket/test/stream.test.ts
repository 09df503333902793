import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { client } from '@zishuo/yamux';
import { describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { type AnyWebSocket, webSocketStream } from '../src/stream.ts';
import { FakeSocket } from './support/fake-socket.ts';

describe('webSocketStream()', () => {
  it('accepts a MessageSocket of your own', async () => {
    const socket = new FakeSocket();
    const stream = webSocketStream(socket);
    socket.receive('hello');
    expect(stream.read().toString()).toBe('hello');
  });

  it.each([
    [null, 'null'],
    [undefined, 'undefined'],
    ['ws://host', 'a string: dial() connects to a URL'],
    [
      new PassThrough(),
      'an object of PassThrough: it is already a byte stream; pass it to client() or server() of @zishuo/yamux',
    ],
    [Promise.resolve(), 'an object of Promise: await it'],
    [
      new WebSocketServer({ noServer: true }),
      "an object of WebSocketServer: pass the socket of its 'connection' event",
    ],
    [{ on() {}, terminate() {} }, 'an object of Object: install ws 8.18 or later'],
    [client(new PassThrough()), 'an object of YamuxSession: it is already a session'],
    [new EventEmitter(), 'an object of EventEmitter'],
    [{}, 'an object of Object'],
  ])('refuses %s', (socket, got) => {
    const expected = `Expected a WebSocket or a MessageSocket, got ${got}`;
    expect(() => webSocketStream(socket as unknown as AnyWebSocket)).toThrow(new TypeError(expected));
  });

  it('refuses a second stream over one socket, in this copy of the package and in any other', () => {
    const socket = new FakeSocket();
    webSocketStream(socket);
    expect(() => webSocketStream(socket)).toThrow(expect.objectContaining({ code: 'ERR_YAMUX_WEBSOCKET_IN_USE' }));
    expect(Symbol.for('@zishuo/yamux-websocket.in-use') in socket).toBe(true);
  });

  it('leaves the socket free when an option is invalid', () => {
    const socket = new FakeSocket();
    expect(() => webSocketStream(socket, { closeTimeout: -1 })).toThrow(RangeError);
    expect(() => webSocketStream(socket)).not.toThrow();
  });
});
