// A reverse proxy: node proxy-hop.js PORT TARGET [CERTIFICATE KEY].
import { readFileSync } from 'node:fs';
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, Agent as TlsAgent } from 'node:https';
import { createProxyServer } from 'http-proxy-3';

const [port, target = '', cert, key] = process.argv.slice(2);
const agent = target.startsWith('https:') ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
const proxy = createProxyServer({ target, agent, secure: false });
proxy.on('error', (error) => console.error(error));
const serve = (request: IncomingMessage, response: ServerResponse): void => proxy.web(request, response);
const server =
  cert === undefined || key === undefined
    ? createServer(serve)
    : createTlsServer({ cert: readFileSync(cert), key: readFileSync(key) }, serve);
server.listen(Number(port), '127.0.0.1');
