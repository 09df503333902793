// Many streams over one TCP connection, each echoed by the other end.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { client, server } from '@zishuo/yamux';

let connections = 0;
const listener = createServer((socket) => {
  connections += 1;
  const session = server(socket);
  session.on('error', (error) => console.error('session', error));
  session.on('stream', (stream) => {
    pipeline(stream, stream).catch((error) => console.error('stream', error));
  });
}).listen(0, '127.0.0.1');
await once(listener, 'listening');

const { port } = listener.address() as AddressInfo;
const session = client(connect(port, '127.0.0.1'));
const echoes = ['one', 'two', 'three'].map(async (word) => {
  const stream = await session.open();
  stream.end(word);
  return `stream ${stream.id} echoed '${await text(stream)}'`;
});
for (const echo of await Promise.all(echoes)) console.log(echo);

await session.close();
listener.close();
console.log(`${echoes.length} streams, ${connections} TCP connection`);
