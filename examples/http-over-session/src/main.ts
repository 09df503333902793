// An HTTP server without a port, and a client, over one session, as in a tunnel.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestOptions, request } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { client, server } from '@zishuo/yamux';
import { httpAgent, serveHttp } from '@zishuo/yamux/http';

// One end dials out, as from behind NAT, and serves each stream that comes back as an HTTP connection.
const web = createServer((incoming, response) => {
  text(incoming).then(
    (body) => response.end(`${incoming.method} ${incoming.url}${body && `, ${body.length} bytes`}`),
    (error: Error) => response.destroy(error),
  );
});
function dialOut(port: number): void {
  const session = client(connect(port, '127.0.0.1'));
  session.on('error', (error) => console.error('session', error));
  serveHttp(web, session);
}

// The other end takes the connection, and sends requests over it.
const listener = createTcpServer().listen(0, '127.0.0.1');
await once(listener, 'listening');
dialOut((listener.address() as AddressInfo).port);
const [socket] = await once(listener, 'connection');
const session = server(socket);
const agent = httpAgent(session);

async function ask(path: string, options: RequestOptions = {}, body = ''): Promise<string> {
  // The host is only used for the Host header: there is no DNS lookup.
  const asked = request({ host: 'behind-nat.example', path, agent, ...options }).end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return `${response.statusCode} ${await text(response)}`;
}

const answers = await Promise.all([
  ask('/'),
  ask('/search?q=yamux'),
  ask('/upload', { method: 'POST' }, 'x'.repeat(1_000_000)),
]);
for (const answer of answers) console.log(answer);

agent.destroy();
await session.close();
listener.close();
console.log('3 requests, each on a stream of its own, over 1 TCP connection');
