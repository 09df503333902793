// The child: stdin and stdout carry the session, so it logs to stderr.
import { Duplex, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { server } from '@zishuo/yamux';

const session = server(Duplex.from({ readable: process.stdin, writable: process.stdout }));
session.on('error', (error) => console.error('session', error));
session.on('stream', (stream) => {
  const upperCase = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, chunk.toString().toUpperCase()),
  });
  pipeline(stream, upperCase, stream).catch((error) => console.error('stream', error));
});

const greeting = await session.open();
greeting.resume().end('ready');
