import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { YamuxSession } from '@zishuo/yamux';
import { afterEach, describe, expect, it } from 'vitest';
import { type DialOptions, dial, type WsClientOptions } from '../src/dial.ts';
import { acceptUpgrades } from '../src/upgrade.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A pre-shared key, so that no certificate is needed. */
const PSK = { ciphers: 'PSK', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const key = Buffer.alloc(16, 7);
const trust: WsClientOptions = {
  ...PSK,
  pskCallback: () => ({ psk: key, identity: 'test' }),
  checkServerIdentity: () => undefined,
};

async function listening(server: HttpServer): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Opens a stream and sends three chunks. Returns the mask keys of the frames that the server received, and the bytes of the stream. */
async function keysOf(
  server: HttpServer,
  dialed: () => Promise<YamuxSession>,
): Promise<{ keys: Set<string>; text: string }> {
  const received: Buffer[] = [];
  server.prependListener('upgrade', (_request: unknown, socket: Duplex) => {
    socket.on('data', (chunk: Buffer) => received.push(chunk)); // ws listens too before the first frame can come
  });
  const sent = new Promise<string>((resolve) => {
    acceptUpgrades(server, {
      path: '/',
      authenticate: () => true,
      onSession: (session) => {
        session.on('stream', (stream) => resolve(text(stream.end())));
      },
    });
  });
  const session = await dialed();
  const stream = await session.open();
  for (const part of ['one ', 'two ', 'three']) {
    stream.write(part);
    await session.ping();
  }
  stream.resume().end();
  const got = await sent;
  await session.close();
  return { keys: keysIn(Buffer.concat(received)), text: got };
}

/** The mask keys of whole client frames below 64 KiB. */
function keysIn(bytes: Buffer): Set<string> {
  const keys = new Set<string>();
  for (let at = 0; at < bytes.length; ) {
    const short = (bytes[at + 1] as number) & 0x7f;
    const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
    const keyAt = at + (short === 126 ? 4 : 2);
    keys.add(bytes.toString('hex', keyAt, keyAt + 4));
    at = keyAt + 4 + length;
  }
  return keys;
}

const ZERO = new Set(['00000000']);
const whole = 'one two three';
const tlsServer = (): HttpServer => createTlsServer({ ...PSK, pskCallback: () => key } as object);

describe('dial() masks its messages', () => {
  it('over wss: with a key of zeros', async () => {
    const server = tlsServer();
    const host = await listening(server);
    expect(await keysOf(server, () => dial(`wss://${host}/`, { ws: trust }))).toEqual({ keys: ZERO, text: whole });
  });

  it('over ws: with random keys', async () => {
    const server = createServer();
    const host = await listening(server);
    const { keys, text: got } = await keysOf(server, () => dial(`ws://${host}/`));
    expect([keys.size > 3, keys.has('00000000'), got]).toEqual([true, false, whole]);
  });

  it.each<[string, boolean, DialOptions]>([
    ['over ws: by zeros with maskPayload: false', true, { maskPayload: false }],
    [
      'over ws: by what a generateMask of your own says',
      true,
      { ws: { generateMask: (mask: Buffer) => mask.fill(0) } },
    ],
    ['over ws: at random with maskPayload: true', false, { maskPayload: true }],
  ])('%s', async (_how, zero, options) => {
    const server = createServer();
    const host = await listening(server);
    const { keys, text: got } = await keysOf(server, () => dial(`ws://${host}/`, options));
    expect([keys.has('00000000'), keys.size === 1, got]).toEqual([zero, zero, whole]);
  });

  it('over wss: with random keys if maskPayload is true', async () => {
    const server = tlsServer();
    const host = await listening(server);
    const { keys, text: got } = await keysOf(server, () => dial(`wss://${host}/`, { maskPayload: true, ws: trust }));
    expect([keys.size > 3, keys.has('00000000'), got]).toEqual([true, false, whole]);
  });

  it('with random keys after a redirect from wss: to ws:', async () => {
    const plain = createServer();
    const plainHost = await listening(plain);
    const server = tlsServer();
    server.on('upgrade', (_request, socket: Duplex) => {
      socket.on('error', () => {});
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ws://${plainHost}/\r\nContent-Length: 0\r\n\r\n`);
    });
    const host = await listening(server);
    const { keys, text: got } = await keysOf(plain, () =>
      dial(`wss://${host}/`, { ws: { ...trust, followRedirects: true } }),
    );
    expect([keys.size > 3, keys.has('00000000'), got]).toEqual([true, false, whole]);
  });
});
