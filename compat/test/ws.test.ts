// ws: it reads the buffer of its socket when the socket closes, and pauses it while it inflates. It uses more members of a socket than most libraries.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { pipeline } from 'node:stream/promises';
import { createWebSocketStream, WebSocket, WebSocketServer } from 'ws';
import type { Carrier } from './support/carrier.ts';
import { turns, twins, until } from './support/twins.ts';

/** Serves WebSockets. `sockets` are the connections below them, in the order of their arrival. */
async function serve(
  carrier: Carrier,
  perMessageDeflate: boolean,
): Promise<{ wss: WebSocketServer; sockets: net.Socket[] }> {
  const web = http.createServer();
  const sockets: net.Socket[] = [];
  web.on('connection', (socket) => sockets.push(socket));
  const wss = new WebSocketServer({ server: web, perMessageDeflate });
  wss.on('connection', (ws) => ws.on('error', () => {}));
  await carrier.serve(web);
  return { wss, sockets };
}

interface Dialed {
  readonly near: WebSocket;
  readonly nearSocket: net.Socket;
  readonly far: WebSocket;
}

async function dial(carrier: Carrier, wss: WebSocketServer, perMessageDeflate = false): Promise<Dialed> {
  const nearSocket = await carrier.dial();
  const connected = once(wss, 'connection');
  const near = new WebSocket('ws://inside.example/', { createConnection: () => nearSocket, perMessageDeflate });
  near.on('error', () => {});
  await once(near, 'open');
  const [far] = (await connected) as [WebSocket];
  return { near, nearSocket, far };
}

const closeCode = async (ws: WebSocket): Promise<number> => (await once(ws, 'close'))[0] as number;

for (const deflating of [false, true]) {
  const how = deflating ? 'deflated' : 'plain';
  twins(
    `${how} messages of every size are echoed whole, and both sides close with the code of one side`,
    async (carrier) => {
      const { wss } = await serve(carrier, deflating);
      const { near, far } = await dial(carrier, wss, deflating);
      far.on('message', (data, isBinary) => far.send(data, { binary: isBinary }));
      const sent = [0, 1, 125, 126, 65_535, 65_536, 300_000].map((size) => randomBytes(size));
      const back: Buffer[] = [];
      near.on('message', (data) => back.push(data as Buffer));
      for (const message of sent) near.send(message);
      await until(() => back.length === sent.length);
      const codes = [closeCode(near), closeCode(far)];
      near.close(4000);
      return {
        whole: back.every((message, at) => message.equals(sent[at] as Buffer)),
        codes: await Promise.all(codes),
      };
    },
    { whole: true, codes: [4000, 4000] },
  );
}

for (const paused of ['far', 'near'] as const) {
  twins(
    `a paused WebSocket of the ${paused === 'far' ? 'server' : 'client'}, with bytes unread, closes with 1006 when its peer is gone`,
    async (carrier) => {
      const { wss, sockets } = await serve(carrier, false);
      const { near, nearSocket, far } = await dial(carrier, wss);
      const [waiting, leaving, socket] =
        paused === 'far' ? [far, near, sockets[0] as net.Socket] : [near, far, nearSocket];
      const closed = closeCode(waiting);
      waiting.pause();
      const before = socket.bytesRead;
      leaving.send(Buffer.alloc(2000));
      await until(() => socket.bytesRead > before);
      leaving.terminate();
      await turns();
      waiting.resume();
      return closed;
    },
    1006,
  );
}

twins(
  'a server that inflates sees the end of every client that sends and leaves',
  async (carrier) => {
    const { wss } = await serve(carrier, true);
    const codes: number[] = [];
    wss.on('connection', (ws) => {
      ws.on('message', () => {});
      ws.on('close', (code) => codes.push(code));
    });
    for (let clients = 0; clients < 20; clients += 1) {
      const { near } = await dial(carrier, wss, true);
      for (let message = 0; message < 5; message += 1) near.send(randomBytes(20_000));
      near.send(randomBytes(20_000), () => near.terminate());
      await once(near, 'close');
    }
    await until(() => codes.length === 20);
    return codes;
  },
  Array<number>(20).fill(1006),
);

twins(
  'createWebSocketStream() in a pipeline behind a slow reader loses nothing',
  async (carrier) => {
    const { wss } = await serve(carrier, true);
    const { near, far } = await dial(carrier, wss, true);
    const payload = randomBytes(1_000_000);
    const received: Buffer[] = [];
    const reading = pipeline(createWebSocketStream(far), async (source) => {
      for await (const chunk of source) {
        received.push(chunk as Buffer);
        await turns(1);
      }
    });
    const writing = pipeline([payload.subarray(0, 400_000), payload.subarray(400_000)], createWebSocketStream(near));
    await Promise.all([reading, writing]);
    return Buffer.concat(received).equals(payload);
  },
  true,
);

twins(
  'a WebSocket on a connection that is still connecting',
  async (carrier) => {
    const { wss } = await serve(carrier, false);
    const connected = once(wss, 'connection');
    const near = new WebSocket('ws://inside.example/', { createConnection: () => carrier.connect() });
    near.on('error', () => {});
    await once(near, 'open');
    const [far] = (await connected) as [WebSocket];
    const closed = closeCode(far);
    near.close(4001);
    return closed;
  },
  4001,
);
