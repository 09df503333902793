import { expect, it, onTestFinished } from 'vitest';
import { OriginConnections } from '../../src/agent/origin-connections.ts';
import { NO_BODY, type RequestHead } from '../../src/exchange/block.ts';
import { Http1Upstream } from '../../src/http/http1-upstream.ts';
import { listenRaw } from '../support/http.ts';

const HEAD: RequestHead = { method: 'GET', target: '/', body: NO_BODY, upgrade: '', headers: ['Host', 'app.example'] };

async function connectionsTo(answer: string): Promise<OriginConnections> {
  const port = await listenRaw((socket) => socket.on('data', () => socket.write(answer)).on('error', () => {}));
  const connections = new OriginConnections({
    host: '127.0.0.1',
    port,
    tls: undefined,
    rewriteHost: undefined,
    strippedPrefix: '',
  });
  onTestFinished(() => connections.close());
  return connections;
}

/** Resolves when the answer is whole. */
function exchange(connections: OriginConnections): Promise<void> {
  return new Promise((resolve, reject) => {
    const nothing = (): void => {};
    const listener = { taken: nothing, interim: nothing, answer: nothing, data: nothing, drain: nothing };
    new Http1Upstream(connections, { ...listener, switched: nothing, end: () => resolve(), failed: reject }).send(HEAD);
  });
}

it('a connection that has died is not given to the next request, though nobody has been told yet', async () => {
  const connections = await connectionsTo('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  await exchange(connections);
  const kept = connections.connect(false);
  connections.keep(kept);
  kept.socket.destroy(new Error('reset'));
  const next = connections.connect(false);
  onTestFinished(() => next.destroy());
  expect(next).not.toBe(kept);
});

it('a connection is not kept longer than its server says that it keeps it', async () => {
  const connections = await connectionsTo('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 0\r\n\r\n');
  await exchange(connections);
  const one = connections.connect(false);
  onTestFinished(() => one.destroy());
  expect(one.isConnected).toBe(false); // a new one
});
