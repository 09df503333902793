// The server of node:http: the responses it sends by itself, when it ends connections, and how handlers use request.socket.

import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import { hears } from './support/http-client.ts';
import { turns, twins, until } from './support/twins.ts';

/** The status lines in the received text. */
const statuses = (text: string): string[] =>
  [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => String(status));

const ITS_OWN_ANSWERS: ReadonlyArray<readonly [status: string, what: string, request: string]> = [
  ['400', 'what is no HTTP', 'this is no HTTP\r\n\r\n'],
  ['431', 'a head that is too large', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(5000)}\r\n\r\n`],
  [
    '413',
    'chunk extensions that are too large',
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}`,
  ],
  ['408', 'a head that does not come to its end', 'GET / HTTP/1.1\r\nHost: a\r\nX: '],
];

for (const [status, what, head] of ITS_OWN_ANSWERS) {
  twins(
    `${what} is answered with ${status}, and the connection ends`,
    async (carrier) => {
      const limits = { maxHeaderSize: 2000, headersTimeout: 100, requestTimeout: 100, connectionsCheckingInterval: 20 };
      const web = http.createServer(limits, (request, response) => request.resume().on('end', () => response.end()));
      web.on('connection', (socket: net.Socket) => socket.on('error', () => {}));
      await carrier.serve(web);
      const socket = await carrier.dial();
      socket.write(head);
      const heard = await hears(socket.once('end', () => socket.end()));
      return statuses(heard.text);
    },
    [status],
  );
}

twins(
  'requests in a row, then a pipeline of them, are answered in order on one connection',
  async (carrier) => {
    let connections = 0;
    const web = http.createServer((request, response) => response.end(`<${request.url}>`));
    web.on('connection', () => {
      connections += 1;
    });
    await carrier.serve(web);
    const socket = await carrier.dial();
    const heard = hears(socket);
    socket.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'data');
    socket.write('GET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.write('GET /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    socket.once('end', () => socket.end());
    return { answers: (await heard).text.match(/<.+?>/g), connections };
  },
  { answers: ['</a>', '</b>', '</c>', '</d>'], connections: 1 },
);

twins(
  'a slow reader gets the whole response with Connection: close',
  async (carrier) => {
    const web = http.createServer((_request, response) => {
      response.setHeader('Connection', 'close');
      response.end(Buffer.alloc(3_000_000, 'x'));
    });
    await carrier.serve(web);
    const socket = await carrier.dial();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    let bodyBytes = 0;
    for await (const chunk of socket) {
      bodyBytes += (chunk as Buffer).toString('latin1').split('x').length - 1;
      await turns(1);
    }
    return bodyBytes;
  },
  3_000_000,
);

twins(
  'a response that is sent before the body is read reaches the client, even if the socket is then destroyed',
  async (carrier) => {
    const web = http.createServer((request, response) => {
      response.writeHead(413, { Connection: 'close' });
      response.end('too much', () => request.socket.destroySoon());
    });
    await carrier.serve(web);
    const socket = await carrier.dial();
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nbeginning');
    return statuses((await hears(socket.once('end', () => socket.end()))).text);
  },
  ['413'],
);

twins(
  'response.end() followed by request.destroy(): the client gets the response',
  async (carrier) => {
    const web = http.createServer((request, response) => {
      response.end('answer');
      request.destroy();
    });
    await carrier.serve(web);
    const socket = await carrier.dial();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const { text } = await hears(socket.once('end', () => socket.end()));
    return [statuses(text), text.includes('answer')];
  },
  [['200'], true],
);

twins(
  'a raw response of a clientError listener, which then destroys the socket, reaches the client',
  async (carrier) => {
    const web = http.createServer();
    web.on('clientError', (_error, socket) => {
      socket.write('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n');
      socket.destroy();
    });
    await carrier.serve(web);
    const socket = await carrier.dial();
    socket.write('no HTTP\r\n\r\n');
    return statuses((await hears(socket.once('end', () => socket.end()))).text);
  },
  ['418'],
);

twins(
  'Expect: 100-continue gets both responses',
  async (carrier) => {
    const web = http.createServer((request, response) => request.resume().on('end', () => response.end()));
    await carrier.serve(web);
    const socket = await carrier.dial();
    const heard = hears(socket.once('end', () => socket.end()));
    socket.write(
      'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n\r\n',
    );
    await once(socket, 'data');
    socket.write('x');
    return statuses((await heard).text);
  },
  ['100', '200'],
);

twins(
  'when a client goes away, its response emits "close", and its request is aborted',
  async (carrier) => {
    const web = http.createServer();
    const seen: string[] = [];
    web.on('request', (request, response) => {
      request.on('error', (error: NodeJS.ErrnoException) => seen.push(`request error ${error.code}`));
      request.on('close', () => seen.push(`request close, complete: ${request.complete}`));
      response.on('close', () => seen.push(`response close, finished: ${response.writableFinished}`));
    });
    await carrier.serve(web);
    const socket = await carrier.dial();
    socket.on('error', () => {});
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nbeginning');
    await once(web, 'request');
    await turns();
    socket.destroy();
    await until(() => seen.length === 3);
    return seen.sort();
  },
  ['request close, complete: false', 'request error ECONNRESET', 'response close, finished: false'],
);

const NO_TIMEOUT: ReadonlyArray<readonly [string, (web: http.Server) => void]> = [
  ['setTimeout(30 days) of the server', (web) => web.setTimeout(30 * 24 * 3600 * 1000)],
  [
    'setTimeout(Number.MAX_SAFE_INTEGER) of an event stream',
    (web) => web.on('request', (request) => request.socket.setTimeout(Number.MAX_SAFE_INTEGER)),
  ],
];
for (const [what, set] of NO_TIMEOUT) {
  twins(
    `${what} is no error`,
    async (carrier) => {
      const web = http.createServer();
      set(web);
      web.on('request', (_request, response: http.ServerResponse) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('data: 1\n\n');
      });
      await carrier.serve(web);
      const request = http.get(carrier.http());
      request.on('error', () => {});
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const [event] = (await once(response, 'data')) as [Buffer];
      request.destroy();
      return String(event);
    },
    'data: 1\n\n',
  );
}

twins(
  'timeouts of the server, of a request and of a response emit "timeout", and end the connection',
  async (carrier) => {
    const seen: string[] = [];
    const web = http.createServer((request, response) => {
      response.setTimeout(20, () => {
        seen.push('response timeout');
        request.socket.destroy();
      });
    });
    await carrier.serve(web);
    const socket = await carrier.dial();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await hears(socket.once('end', () => socket.end()));
    web.setTimeout(20);
    const second = await carrier.dial();
    second.write('GET / HTTP/1.1\r\n');
    await hears(second.once('end', () => second.end()));
    return seen;
  },
  ['response timeout'],
);

const ENDS_OF_THE_IDLE: ReadonlyArray<readonly [string, keepAliveTimeout: number]> = [
  ['keepAliveTimeout', 1],
  ['closeIdleConnections()', 60_000],
];
for (const [how, keepAliveTimeout] of ENDS_OF_THE_IDLE) {
  twins(
    `an idle connection ends by ${how}`,
    async (carrier) => {
      const web = http.createServer({ keepAliveTimeout }, (_request, response) => response.end('x'));
      await carrier.serve(web);
      const socket = await carrier.dial();
      const heard = hears(socket.once('end', () => socket.end()));
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await once(socket, 'data');
      await turns();
      if (keepAliveTimeout > 1) web.closeIdleConnections();
      return statuses((await heard).text);
    },
    ['200'],
  );
}

twins(
  'an upgrade: bytes that came with the request are the head, and the socket is the connection',
  async (carrier) => {
    const web = http.createServer();
    web.on('upgrade', (_request, socket, head: Buffer) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.write(head);
      socket.pipe(socket);
    });
    await carrier.serve(web);
    const socket = await carrier.dial();
    const heard = hears(socket);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhead ');
    await once(socket, 'data');
    socket.end('tail');
    const { text, error } = await heard;
    return [text.slice(text.indexOf('\r\n\r\n') + 4), error];
  },
  ['head tail', undefined],
);

twins(
  'closeAllConnections() ends active connections',
  async (carrier) => {
    const web = http.createServer(() => {});
    await carrier.serve(web);
    const sockets = [await carrier.dial(), await carrier.dial()];
    for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    let requests = 0;
    web.on('request', () => {
      requests += 1;
    });
    await until(() => requests === 2);
    web.closeAllConnections();
    const ends = await Promise.all(
      sockets.map(async (socket) => (await hears(socket.once('end', () => socket.end()))).text),
    );
    return ends;
  },
  ['', ''],
);
