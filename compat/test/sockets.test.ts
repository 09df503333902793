// Programs that use a socket directly, in the ways that libraries do.

import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import type { Carrier } from './support/carrier.ts';
import { hears } from './support/http-client.ts';
import { turns, twins, until } from './support/twins.ts';

/** Both ends of a connection. */
async function ends(carrier: Carrier): Promise<{ near: net.Socket; far: net.Socket }> {
  const server = net.createServer({ pauseOnConnect: true });
  const connected = once(server, 'connection');
  await carrier.serve(server);
  const near = await carrier.dial();
  const [far] = (await connected) as [net.Socket];
  for (const end of [near, far]) end.on('error', () => {});
  return { near, far };
}

/** Waits until `socket` has received `bytes` bytes, whether they are read or not. */
async function has(socket: net.Socket, bytes: number): Promise<void> {
  socket.read(0);
  await until(() => socket.bytesRead >= bytes);
}

twins(
  'a buffer that is refilled in each write callback arrives as it was written, also with a slow transport',
  async (carrier) => {
    const BLOCK = 32_768;
    const server = net.createServer({ pauseOnConnect: true });
    const accepted: net.Socket[] = [];
    server.on('connection', (socket) => accepted.push(socket));
    await carrier.serve(server);
    const dialed = await Promise.all(Array.from({ length: 40 }, () => carrier.dial()));
    await until(() => accepted.length === dialed.length);
    const release = carrier.hold();
    const writing = dialed.map(async (socket) => {
      const block = Buffer.alloc(BLOCK);
      for (let number = 1; number <= 8; number += 1) {
        await new Promise((resolve) => socket.write(block.fill(number), resolve));
        block.fill(0);
        await turn();
      }
      socket.end();
    });
    await turns();
    release();
    let bytes = 0;
    let wrong = 0;
    const reading = accepted.map(async (socket) => {
      let at = 0;
      socket.on('data', (chunk: Buffer) => {
        for (const byte of chunk) {
          if (byte !== Math.floor(at / BLOCK) + 1) wrong += 1;
          at += 1;
        }
      });
      socket.resume();
      await once(socket, 'end');
      bytes += at;
    });
    await Promise.all([...writing, ...reading]);
    return { bytes, wrong };
  },
  { bytes: 40 * 8 * 32_768, wrong: 0 },
);

for (const size of [100_000, 300_000, 1_000_000]) {
  twins(
    `a length, then read(${size}): the message comes in one piece`,
    async (carrier) => {
      const { near, far } = await ends(carrier);
      const head = Buffer.alloc(4);
      head.writeUInt32BE(size);
      near.write(head);
      near.end(Buffer.alloc(size));
      const pieces: number[] = [];
      far.on('readable', () => {
        for (;;) {
          const piece = far.read(pieces.length === 0 ? 4 : size) as Buffer | null;
          if (piece === null) return;
          pieces.push(piece.length);
        }
      });
      await once(far, 'end');
      return pieces;
    },
    [4, size],
  );
}

for (const size of [undefined, null, Number.NaN]) {
  twins(
    `read(${size}) gives all there is`,
    async (carrier) => {
      const { near, far } = await ends(carrier);
      near.write('one ');
      await has(far, 4);
      near.write('two');
      await has(far, 7);
      let heard = '';
      far.on('readable', () => {
        for (let chunk = far.read(size as number); chunk !== null; chunk = far.read(size as number)) heard += chunk;
      });
      await until(() => heard.length > 0);
      await turns();
      return heard;
    },
    'one two',
  );
}

twins(
  'a late "readable" listener is called for waiting data',
  async (carrier) => {
    const { near, far } = await ends(carrier);
    near.write('HEAD');
    await has(far, 4);
    near.write('body');
    await has(far, 8);
    const head = String(far.read(4));
    await once(far, 'readable');
    return [head, String(far.read())];
  },
  ['HEAD', 'body'],
);

twins(
  'with an encoding, pieces of 60,000 characters arrive to the end',
  async (carrier) => {
    const { near, far } = await ends(carrier);
    far.setEncoding('utf8');
    near.end(Buffer.alloc(1_200_000, 'x'));
    let characters = 0;
    far.on('readable', () => {
      for (let piece = far.read(60_000); piece !== null; piece = far.read(60_000)) characters += piece.length;
    });
    await once(far, 'end');
    return characters;
  },
  1_200_000,
);

twins(
  'a server that only sends a greeting keeps no connection when the client ends',
  async (carrier) => {
    let closed = 0;
    await carrier.serve(
      net.createServer({ allowHalfOpen: true }, (socket) => socket.on('close', () => (closed += 1)).end('hello')),
    );
    const heard: string[] = [];
    for (let clients = 0; clients < 10; clients += 1) {
      const socket = await carrier.dial();
      socket.end();
      heard.push(await text(socket));
    }
    await until(() => closed === 10);
    return heard;
  },
  Array<string>(10).fill('hello'),
);

twins(
  'complete input is read to its end, even if the other side is gone',
  async (carrier) => {
    const { near, far } = await ends(carrier);
    far.resume().end(Buffer.alloc(50_000));
    await once(far, 'finish');
    await has(near, 50_000);
    await turns();
    carrier.fail();
    await turns();
    let bytes = 0;
    for await (const chunk of near) bytes += (chunk as Buffer).length;
    return bytes;
  },
  50_000,
);

twins(
  'write(), then destroy() in the same tick: the bytes arrive',
  async (carrier) => {
    const { near, far } = await ends(carrier);
    far.write('answer');
    far.destroy();
    return (await hears(near.once('end', () => near.end()))).text;
  },
  'answer',
);

twins(
  'allowHalfOpen: false: a handler that only answers data ends when its client does',
  async (carrier) => {
    await carrier.serve(net.createServer((socket) => socket.on('data', (data) => socket.write(data))));
    const socket = await carrier.dial();
    socket.end('hello');
    return text(socket);
  },
  'hello',
  { allowHalfOpen: false },
);

twins(
  'a listener that throws at the end causes an uncaught exception, and does not affect other connections',
  async (carrier) => {
    const connections: net.Socket[] = [];
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      connections.push(socket);
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    await carrier.serve(server);
    const first = await carrier.dial();
    const second = await carrier.dial();
    await until(() => connections.length === 2);
    connections[0]?.unpipe().on('end', () => {
      throw new Error('of one listener');
    });
    connections[0]?.resume();
    const thrown = once(process, 'uncaughtException');
    const expected = process.rawListeners('uncaughtException').filter((listener) => listener.name === 'note');
    for (const listener of expected) process.off('uncaughtException', listener as () => void);
    first.on('error', () => {}).end();
    const [error] = (await thrown) as [Error];
    second.end('still there');
    return [error.message, await text(second)];
  },
  ['of one listener', 'still there'],
);

twins(
  'setTimeout() accepts a value that is too large, and emits "timeout" when no byte moves',
  async (carrier) => {
    const { near } = await ends(carrier);
    near.setTimeout(Number.MAX_SAFE_INTEGER);
    const heard = once(near, 'timeout');
    near.setTimeout(10);
    await heard;
    await turn();
    return near.destroyed;
  },
  false,
);

twins(
  'connect(): connecting at once, then "connect", then like any other stream',
  async (carrier) => {
    await carrier.serve(net.createServer((socket) => socket.resume().end('hello')));
    const socket = carrier.connect();
    const before = [socket.connecting, socket.pending, socket.readyState];
    socket.write('early');
    await once(socket, 'connect');
    const after = [socket.connecting, socket.pending, socket.readyState];
    // text() destroys what it has read, and the peer of a stream that is not ended would see that.
    socket.end();
    return { before, after, heard: await text(socket) };
  },
  { before: [true, true, 'opening'], after: [false, false, 'open'], heard: 'hello' },
);

twins(
  'code that awaits "data" can then await "end", and "close" in the same way',
  async (carrier) => {
    await carrier.serve(net.createServer({ allowHalfOpen: true }, (socket) => socket.end('answer')));
    const socket = await carrier.dial();
    const [answer] = (await once(socket, 'data')) as [Buffer];
    await once(socket, 'end');
    socket.end();
    const [hadError] = (await once(socket, 'close')) as [boolean];
    return [String(answer), hadError];
  },
  ['answer', false],
);

twins(
  'data that is awaited piece by piece arrives whole, in however many writes it was sent',
  async (carrier) => {
    const { near, far } = await ends(carrier);
    const first = once(near, 'data');
    for (const word of ['one ', 'two ', 'three']) far.write(word);
    let heard = String(((await first) as [Buffer])[0]);
    while (heard.length < 13) heard += String(((await once(near, 'data')) as [Buffer])[0]);
    return heard;
  },
  'one two three',
);

twins(
  'awaited data can be put back for the next reader',
  async (carrier) => {
    await carrier.serve(net.createServer({ allowHalfOpen: true }, (socket) => socket.end('HELLO')));
    const socket = await carrier.dial();
    const [head] = (await once(socket, 'data')) as [Buffer];
    socket.pause();
    socket.unshift(head);
    socket.end();
    return text(socket);
  },
  'HELLO',
);

twins(
  '"close" says whether there was an error, after the callbacks of unsent writes',
  async (carrier) => {
    const { near, far } = await ends(carrier);
    far.on('error', () => {});
    const seen: unknown[] = [];
    near.on('error', (error) => seen.push(error.message));
    near.on('close', (hadError) => seen.push(`close ${hadError}`));
    near.cork();
    near.write('never sent', () => seen.push('callback'));
    const closed = new Promise((resolve) => near.on('close', resolve));
    near.destroy(new Error('enough'));
    await closed;
    return [...seen, near.pending, near.timeout];
  },
  ['callback', 'enough', 'close true', true, undefined],
);
