// Raw TCP: a port of the gateway is a service of an agent.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TunnelGateway } from '../../src/gateway/tunnel-gateway.ts';
import { ask, listenRaw } from '../support/http.ts';
import { freePort, type Gateway, SECRET, signal, startAgent, startGateway } from '../support/tunnel.ts';

const start = (options = {}): Promise<Gateway> => startGateway({ tcp: [{ name: 'echo', port: 0 }], ...options });

function connectTo({ gateway }: Gateway): Socket {
  const socket = connect({ port: gateway.tcpPorts.get('echo') ?? 0, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  return socket;
}

async function clientOf(gateway: Gateway): Promise<Socket> {
  const socket = connectTo(gateway);
  await once(socket, 'connect');
  return socket;
}

async function agentTo(
  gateway: Gateway,
  onConnection: (socket: Socket) => void,
): Promise<Awaited<ReturnType<typeof startAgent>>> {
  const port = await listenRaw(onConnection);
  return startAgent(gateway, { routes: ['tcp:echo'], origin: `tcp:echo=tcp://127.0.0.1:${port}` });
}

/** What becomes of a connection on which nobody says anything more. */
async function endOf(socket: Socket): Promise<string> {
  socket.resume();
  return new Promise((resolve) => {
    socket.once('end', () => resolve('end'));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
  });
}

describe('a TCP connection through the tunnel', () => {
  it('carries bytes both ways, and keeps half-close', async () => {
    const gateway = await start();
    await agentTo(gateway, (socket) => {
      socket.on('end', () => socket.end('and so long'));
      socket.pipe(socket, { end: false });
    });
    const client = await clientOf(gateway);
    const sent = 'x'.repeat(2_000_000);
    const served = gateway.logged('served');
    client.end(sent);
    expect(await text(client)).toBe(`${sent}and so long`);
    expect(await served).toMatchObject({
      kind: 'tcp',
      service: 'tcp:echo',
      agent: 'alpha',
      outcome: 'complete',
      status: undefined,
    });
  });

  it('lets a server speak first', async () => {
    const gateway = await start();
    await agentTo(gateway, (socket) => socket.write('220 ready'));
    const client = await clientOf(gateway);
    expect(String((await once(client, 'data'))[0])).toBe('220 ready');
  });

  it('is reset, never ended, when the agent dies', async () => {
    const gateway = await start();
    const { relay } = await agentTo(gateway, (socket) => socket.write('half of it'));
    const client = await clientOf(gateway);
    await once(client, 'data');
    const end = endOf(client);
    relay.cut(true);
    expect(await end).toBe('ECONNRESET');
  });

  it('is reset when the target resets it, and resets the target when its client does', async () => {
    const gateway = await start();
    const targets: Socket[] = [];
    const connected = signal<Socket>();
    await agentTo(gateway, (socket) => {
      targets.push(socket);
      if (targets.length === 1) socket.once('data', () => socket.resetAndDestroy());
      else connected.tell(socket);
    });
    const client = await clientOf(gateway);
    client.write('x');
    expect(await endOf(client)).toBe('ECONNRESET');

    const other = await clientOf(gateway);
    const target = await connected.happened;
    const end = endOf(target);
    other.resetAndDestroy();
    expect(await end).toBe('ECONNRESET');
  });

  it('is reset where no agent serves it, where its agent has no such target, and where nobody listens there', async () => {
    const gateway = await start();
    expect(await endOf(connectTo(gateway))).toBe('ECONNRESET');
    await startAgent(gateway, { name: 'without', routes: ['tcp:echo'], origin: 'tcp:other=tcp://127.0.0.1:1' });
    expect(await endOf(connectTo(gateway))).toBe('ECONNRESET');
    gateway.gateway.drain('without', 'test');
    const port = await freePort();
    await startAgent(gateway, { name: 'dead', routes: ['tcp:echo'], origin: `tcp:echo=tcp://127.0.0.1:${port}` });
    const refused = gateway.logged('served');
    expect(await endOf(connectTo(gateway))).toBe('ECONNRESET');
    expect(await refused).toMatchObject({ outcome: 'refused', code: 'ERR_TUNNEL_CONNECT_REFUSED', agent: 'dead' });
  });

  it('is cut when nothing moves for too long', async () => {
    const gateway = await start({ joinedIdleTimeout: 100 });
    await agentTo(gateway, () => {});
    expect(await endOf(await clientOf(gateway))).toBe('ECONNRESET');
  });

  it('is held back by a target that reads nothing, and goes on when it does', async () => {
    const gateway = await start();
    const connected = signal<Socket>();
    await agentTo(gateway, (socket) => {
      socket.pause();
      connected.tell(socket);
    });
    const client = await clientOf(gateway);
    const target = await connected.happened;
    const sent = Buffer.alloc(40_000_000, 'held back');
    let written = false;
    client.end(sent, () => {
      written = true;
    });
    await startAgent(gateway, { name: 'bravo', origin: (_request, response) => response.end() });
    for (let count = 0; count < 10; count += 1) await ask({ port: gateway.port }); // others go on
    expect(written).toBe(false);
    let bytes = 0;
    for await (const chunk of target) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(sent.length);
  });
});

describe('the ports of TCP services', () => {
  it('are told by name, and a gateway whose port is in use does not start', async () => {
    const { gateway } = await startGateway({
      tcp: [
        { name: 'a', port: 0 },
        { name: 'b', port: 0 },
      ],
    });
    const [a, b] = [gateway.tcpPorts.get('a'), gateway.tcpPorts.get('b')];
    expect(a).not.toBe(b);
    await expect(
      TunnelGateway.listen({ secret: 'the secret of this test', log: () => {}, tcp: [{ name: 'c', port: a ?? 0 }] }),
    ).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('are let go of at once by a gateway that does not start, whatever its drain would take', async () => {
    const { gateway } = await startGateway({ tcp: [{ name: 'a', port: 0 }] });
    const taken = { name: 'b', port: gateway.tcpPorts.get('a') ?? 0 };
    const other = TunnelGateway.listen({ secret: SECRET, log: () => {}, tcp: [taken], drainDelay: 3_600_000 });
    await expect(other).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('are for names that can be in a token', async () => {
    await expect(startGateway({ tcp: [{ name: 'a/b', port: 0 }] })).rejects.toThrow(
      'expected the name of a TCP service',
    );
  });
});
