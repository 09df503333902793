// `node stdio-child.ts BYTES`: greets on the first stream that is opened, sends so many bytes on it and ends it, tells its parent by IPC, and
// exits when its standard input ends.

import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { server } from '@zishuo/yamux';

const bytes = Number(process.argv[2]);
const session = server(Duplex.from({ readable: process.stdin, writable: process.stdout }), { keepAliveInterval: 0 });
session.on('error', () => {});
const stream = await session.accept();
stream.on('error', () => {});
await once(stream, 'data');
stream.write('OK');
await once(stream.end(Buffer.alloc(bytes, 'stdio')), 'finish');
process.send?.('sent');
await session.closed;
process.exit();
