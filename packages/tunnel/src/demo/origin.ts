// The local HTTP server behind an agent of the demo: sends and receives bodies that the other side can check.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { bodyStream, digestOf } from './body.ts';

const MAX_BODY = 1024 ** 3;

export interface Origin {
  readonly url: string;
  close(): void;
}

export async function startOrigin(name: string): Promise<Origin> {
  const server = createServer((request, response) => answer(name, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function answer(name: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://origin');
  const method = request.method === 'HEAD' ? 'GET' : request.method; // node:http omits the body
  switch (`${method} ${url.pathname}`) {
    case 'GET /':
      response.end(`Hello from the origin behind ${name}.\nTry /bytes?size=1000000&seed=1, or curl -N /events\n`);
      return;
    case 'GET /bytes':
      sendBytes(url, response);
      return;
    case 'POST /digest':
      // A truncated body gets no response: the request is destroyed with its socket.
      digestOf(request).then(
        (digest) => response.end(JSON.stringify(digest)),
        () => response.destroy(),
      );
      return;
    case 'POST /echo':
      pipeline(request, response, () => {}); // a failure has destroyed both
      return;
    case 'GET /events':
      sendEvents(name, response);
      return;
    default:
      response.writeHead(404).end();
  }
}

function sendBytes(url: URL, response: ServerResponse): void {
  const size = Number(url.searchParams.get('size') ?? 0);
  const seed = Number(url.searchParams.get('seed') ?? 0);
  if (!(Number.isInteger(size) && size >= 0 && size <= MAX_BODY && Number.isInteger(seed) && seed >= 0)) {
    response.writeHead(400).end(`size must be 0 to ${MAX_BODY}, seed a whole number\n`);
    return;
  }
  // Without a Content-Length node:http sends chunks, so the demo covers both framings.
  if (url.searchParams.has('sized')) response.setHeader('Content-Length', size);
  pipeline(bodyStream(seed, size), response, () => {});
}

function sendEvents(name: string, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  const timer = setInterval(() => response.write(`data: ${new Date().toISOString()} ${name}\n\n`), 1000);
  response.on('close', () => clearInterval(timer));
}
