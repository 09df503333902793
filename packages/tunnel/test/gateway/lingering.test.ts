// A client gets the whole of its last answer, whatever it is still sending when the connection closes behind that (RFC 9112 §9.6).
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { endOf } from '../differential/socket-end.ts';
import { listenRaw } from '../support/http.ts';
import { type Gateway, signal, startAgent, startGateway } from '../support/tunnel.ts';

const SIZE = 200_000;
const ANSWER = 'x'.repeat(SIZE);

/** Sends the head, and goes on sending until the answer has ended, or `most` bytes are out: what came, and how it ended. */
async function sendOn({ port }: Gateway, head: string, most = 15_000_000): Promise<{ text: string; end: string }> {
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void client.destroy());
  await once(client, 'connect');
  const chunks: Buffer[] = [];
  const piece = Buffer.alloc(65_536, 'y');
  let [end, sent] = ['', 0];
  const more = (): void => {
    while (end === '' && sent < most) {
      sent += piece.length;
      if (!client.write(piece)) return;
    }
  };
  client.on('data', (chunk) => chunks.push(chunk)).on('drain', more);
  client.write(head, 'latin1');
  more();
  await new Promise<void>((resolve) => {
    const over = (how: string): void => {
      end ||= how;
      resolve();
    };
    client.on('end', () => over(endOf(client)));
    client.on('error', ({ code }: NodeJS.ErrnoException) => over(String(code)));
    client.on('close', () => over('close'));
  });
  return { text: Buffer.concat(chunks).toString('latin1'), end };
}

async function answering(): Promise<Gateway> {
  const gateway = await startGateway();
  await startAgent(gateway, { origin: (_request, response) => response.end(ANSWER) });
  return gateway;
}

describe('a connection that closes behind its answer', () => {
  it.each([
    ['of HTTP/1.0', 'GET / HTTP/1.0\r\nHost: app.example\r\n\r\n', 200],
    ['by Connection: close', 'GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n', 200],
    [
      'with requests behind it',
      `GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n${'GET /next HTTP/1.1\r\nHost: app.example\r\n\r\n'.repeat(50)}`,
      200,
    ],
    ['by 400', 'NONSENSE\r\n\r\n', 400],
    ['by 431', `GET / HTTP/1.1\r\nHost: app.example\r\nX: ${'x'.repeat(60_000)}`, 431],
    ['by 405', 'CONNECT app.example:80 HTTP/1.1\r\nHost: app.example\r\n\r\n', 405],
    [
      'by a refused upgrade',
      'GET / HTTP/1.1\r\nHost: nobody.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      404,
    ],
    [
      'by an answer to a body that still comes',
      'POST / HTTP/1.1\r\nHost: nobody.example\r\nConnection: close\r\nContent-Length: 90000000\r\n\r\n',
      404,
    ],
  ])('%s is ended by FIN, and no reset overtakes the answer', async (_what, head, status) => {
    const gateway = await answering();
    const { text, end } = await sendOn(gateway, head);
    expect(end).toBe('FIN');
    if (status === 200) expect(text.match(/x*$/)?.[0].length).toBe(SIZE);
    else expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('for more than maxPipelined requests gives all the answers that it owes', async () => {
    const gateway = await startGateway({ maxPipelined: 2 });
    await startAgent(gateway, { origin: (_request, response) => response.end(ANSWER) });
    const { text, end } = await sendOn(gateway, 'GET / HTTP/1.1\r\nHost: app.example\r\n\r\n'.repeat(200));
    expect([text.match(/x+/g)?.map(({ length }) => length), end]).toEqual([[SIZE, SIZE, SIZE], 'FIN']);
  });

  it('reads 16 MiB behind it, and no more', async () => {
    const gateway = await answering();
    const head = 'GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n';
    const client = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void client.destroy());
    client.on('error', () => {}).resume();
    client.write(head);
    await once(client, 'end');
    const piece = Buffer.alloc(1_000_000);
    const more = (): void => {
      while (client.write(piece));
    };
    client.on('drain', more);
    more();
    await new Promise((resolve) => client.once('close', resolve));
    expect(client.bytesWritten).toBeGreaterThan(16_000_000);
  });
});

it('a gateway that closes does not wait for those that linger', async () => {
  const gateway = await startGateway();
  vi.useFakeTimers({ toFake: ['setTimeout'] }); // their time is never over
  onTestFinished(() => void vi.useRealTimers());
  const client = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void client.destroy());
  client.on('error', () => {}).resume();
  client.write('GET / HTTP/1.1\r\nHost: nobody.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await once(client, 'end'); // and says nothing more, nor ends its side
  await gateway.gateway.close();
  expect(gateway.gateway.running.requests).toBe(0);
});

async function holding(gateway: Gateway): Promise<{ asked: Promise<Socket> }> {
  const asked = signal<Socket>();
  const port = await listenRaw((socket) => socket.once('data', () => asked.tell(socket)));
  await startAgent(gateway, { origin: `http://127.0.0.1:${port}` });
  return { asked: asked.happened };
}

describe('a client that leaves', () => {
  const get = 'GET / HTTP/1.1\r\nHost: app.example\r\n\r\n';

  it.each([
    ['behind more than maxPipelined requests', get.repeat(40_000)],
    [
      'while its upgrade waits',
      `${get}${get.replace('\r\n\r\n', '\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')}`,
    ],
    ['while its CONNECT waits', `${get}CONNECT app.example:1 HTTP/1.1\r\nHost: app.example\r\n\r\n`],
  ])('%s ends what runs for it', async (_what, requests) => {
    const gateway = await startGateway({ maxPipelined: 2 });
    const { asked } = await holding(gateway);
    const client = connect({ port: gateway.port, host: '127.0.0.1' });
    client.on('error', () => {});
    client.write(requests);
    const origin = await asked;
    const served = gateway.logged('served');
    const gone = once(origin, 'close');
    client.resetAndDestroy();
    expect(await served).toMatchObject({ outcome: 'abandoned' });
    await gone;
  });
});
