// Sticky routing: each user stays on the session that served them first. Only the users of a session that drains or dies move.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { client, server } from '@zishuo/yamux';
import { affinity, SessionPool } from '@zishuo/yamux-balancer';

// Three backends: each answers every stream with its name.
async function backend(name: string): Promise<Socket> {
  const listener = createServer((socket) => {
    const session = server(socket);
    session.on('error', () => {}); // one session is cut off below
    session.on('stream', (stream) => stream.resume().end(name));
    listener.close();
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return connect((listener.address() as AddressInfo).port, '127.0.0.1');
}

const pool = new SessionPool({ strategy: affinity({ ttl: 600_000 }) });
const sockets = new Map<string, Socket>();
for (const name of ['a', 'b', 'c']) {
  const socket = await backend(name);
  sockets.set(name, socket);
  pool.add(client(socket), { key: name });
}

async function visit(...users: readonly string[]): Promise<string> {
  const visits: string[] = [];
  for (const user of users) {
    const stream = await pool.open({ affinityKey: user });
    visits.push(`${user} → ${await text(stream.end())}`);
  }
  return visits.join('   ');
}

const users = ['ann', 'bob', 'cem', 'dag'];
console.log('first visit   ', await visit(...users));
console.log('once more     ', await visit(...[...users].reverse()));

await pool.drainSession('a', { reason: 'rolling update' }).done;
console.log('a has drained ', await visit(...users));

sockets.get('b')?.destroy();
await once(sockets.get('b') as Socket, 'close');
console.log('b is cut off  ', await visit(...users));

pool.resumeSession('a');
console.log('a is back     ', await visit(...users, 'eva'));
const { bindings, hits, misses, rebinds } = pool.stats({ sessions: false }).affinity ?? {};
console.log({ bindings, hits, misses, rebinds });

for (const socket of sockets.values()) socket.destroySoon();
