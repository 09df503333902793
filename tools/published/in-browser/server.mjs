// The other end of the page: a server of `ws`, which also serves the page. What a stream says first decides what becomes of it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { server as yamuxServer } from '@zishuo/yamux-websocket';
import { WebSocketServer } from 'ws';

const AS_TOLD = {
  reset: (stream) => stream.reset(7),
  abort: () => {},
  open: async (_stream, session) => (await session.open()).end('from the server'),
  goAway: (_stream, session) => session.goAway(),
};

async function serve(stream, session) {
  const [first] = await once(stream, 'data');
  stream.pause();
  const told = AS_TOLD[first];
  if (told !== undefined) {
    await told(stream, session);
    stream.resume().end();
    return;
  }
  stream.unshift(first);
  await pipeline(stream, stream);
}

/** Serves `script` as a page, and streams to it, on a port of its own. */
export async function startServer(script) {
  const errors = [];
  const http = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>');
  }).listen(0, '127.0.0.1');
  await once(http, 'listening');
  const sockets = new WebSocketServer({ server: http, path: '/' });
  sockets.on('connection', (socket) => {
    const session = yamuxServer(socket);
    session.on('error', (error) => errors.push(error));
    session.on('stream', (stream) => {
      stream.on('error', () => {}); // the page resets some
      serve(stream, session).catch(() => {});
    });
  });
  return {
    url: `http://127.0.0.1:${http.address().port}/`,
    errors,
    close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      http.close();
    },
  };
}
