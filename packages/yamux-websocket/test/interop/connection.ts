// Connects our session and one of hashicorp/yamux over a WebSocket: our gateway and a Go agent, or our agent and a Go gateway.
import type { YamuxSession } from '@zishuo/yamux';
import type { Connect } from '../../../yamux/test/interop/connection.ts';
import type { Role } from '../../../yamux/test/interop/go-peer.ts';
import { acceptUpgrades, dial } from '../../src/index.ts';
import { httpServer } from '../support/http-server.ts';

const otherOf = (role: Role): Role => (role === 'client' ? 'server' : 'client');

/** Our end dials, with an all-zero mask key in one role and random keys in the other. */
export const dialGo: Connect = async (role, peer, options = {}, config = {}) => {
  const { port, session: go } = await peer.listen(otherOf(role), { ...config, transport: 'websocket' });
  const maskPayload = role === 'server';
  return { ours: await dial(`ws://127.0.0.1:${port}/connect`, { role, maskPayload, yamux: options }), go };
};

/** The Go end dials. */
export const acceptGo: Connect = async (role, peer, options = {}, config = {}) => {
  const { server, port } = await httpServer();
  const accepted = new Promise<YamuxSession>((resolve) => {
    acceptUpgrades(server, {
      path: '/connect',
      role,
      yamux: options,
      authenticate: () => true,
      onSession: (session) => {
        session.on('error', () => {}); // a test that expects an error adds its own listener
        resolve(session);
      },
    });
  });
  const [ours, go] = await Promise.all([
    accepted,
    peer.dial(port, otherOf(role), { ...config, transport: 'websocket' }),
  ]);
  server.close();
  return { ours, go };
};
