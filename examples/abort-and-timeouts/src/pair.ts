// Two sessions over one TCP connection, in this process.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { client, type SessionOptions, server, type YamuxSession } from '@zishuo/yamux';

export async function sockets(): Promise<readonly [Socket, Socket]> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const dialed = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(listener, 'connection')) as [Socket];
  listener.close();
  return [dialed, accepted];
}

export async function pair(
  ours: SessionOptions = {},
  theirs: SessionOptions = {},
): Promise<readonly [YamuxSession, YamuxSession]> {
  const [dialed, accepted] = await sockets();
  return [client(dialed, ours), server(accepted, theirs)];
}
