// Streams as Web Streams: the platform's CompressionStream compresses the data, with back-pressure from end to end.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { CompressionStream, DecompressionStream, ReadableStream } from 'node:stream/web';
import { client, server, type YamuxStream } from '@zishuo/yamux';

const listener = createServer().listen(0, '127.0.0.1');
await once(listener, 'listening');
const { port } = listener.address() as AddressInfo;
const sender = client(connect(port, '127.0.0.1'));
const [socket] = await once(listener, 'connection');
const receiver = server(socket);

const CHUNK = new TextEncoder().encode('the same line again and again\n'.repeat(1_000));
const CHUNKS = 100;

let sent = 0;
const lines = new ReadableStream<Uint8Array>({
  pull(controller) {
    sent += 1;
    controller.enqueue(CHUNK);
    if (sent === CHUNKS) controller.close();
  },
});

async function receive(stream: YamuxStream): Promise<number> {
  // This side sends nothing. Node closes the Web Streams of a Duplex only when both directions have ended, so end this one at once.
  const { readable } = Duplex.toWeb(stream.end());
  let received = 0;
  for await (const chunk of readable.pipeThrough(new DecompressionStream('gzip'))) received += chunk.length;
  return received;
}

const outbound = await sender.open();
const sending = lines.pipeThrough(new CompressionStream('gzip')).pipeTo(Duplex.toWeb(outbound).writable);
const [received] = await Promise.all([receiver.accept().then(receive), sending]);

console.log(`${received.toLocaleString('en')} bytes received`);
console.log(`on the wire less than 1 % of that: ${outbound.bytesWritten < received / 100}`);

await sender.close();
listener.close();
