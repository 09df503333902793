// Strangers at the peer port, and peers that do what they may not. Over real TCP and TLS.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { client, type YamuxSession } from '@zishuo/yamux';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { readAnswer } from '../../src/peer/front.ts';
import { introduce } from '../../src/peer/greeting.ts';
import { encodeClaim, GREETING, NONCE, nonceOf, VERDICT, Verdict } from '../../src/peer/handshake.ts';
import { encodeHead, type Head } from '../../src/peer/head.ts';
import { addressOf } from '../../src/peer/tcp-network.ts';
import { tlsOf } from '../support/certificates.ts';
import { nodeRecord } from '../support/records.ts';
import { exchange, SECRET, type TestNode, World } from '../support/world.ts';

let world: World;

beforeEach(() => {
  world = new World();
});

afterEach(() => world.close());

/** A stranger's connection to the peer port of a node. */
async function dial({ fleet }: TestNode): Promise<Socket> {
  const socket = connect(addressOf(fleet.address));
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

async function bytes(socket: Duplex, length: number): Promise<Buffer> {
  for (;;) {
    const read = socket.read(length) as Buffer | null;
    if (read !== null) return read;
    await once(socket, 'readable');
  }
}

/** A peer that knows the secret, and speaks Yamux by hand. */
async function insider(node: TestNode): Promise<YamuxSession> {
  const socket = await dial(node);
  await introduce(socket, { from: 'insider', name: 'insider', to: node.fleet.id }, SECRET);
  const session = client(socket, { clock: world.clock });
  onTestFinished(() => session.destroy());
  session.on('error', () => {});
  return session;
}

const HEAD: Head = { name: 'app', routing: {}, requestId: 'r', remainingMs: 0, acknowledged: false };

async function asked(session: YamuxSession, head: Buffer): Promise<Duplex> {
  const stream = await session.open();
  stream.on('error', () => {});
  stream.write(head);
  return stream;
}

describe('the peer port with a secret', () => {
  it('refuses another secret, and says why', async () => {
    const a = await world.node('a');
    const claim = { from: 'x', name: 'x', to: a.fleet.id };
    await expect(introduce(await dial(a), claim, 'another secret, quite as long as that')).rejects.toMatchObject({
      code: 'ERR_YAMUX_FLEET_PEER_REJECTED',
      message: 'The peer refused: the secrets differ',
    });
    await world.until(() => a.fleet.stats().peersRejected === 1);
    expect(a.fleet.stats().linksIn).toBe(0);
  });

  it('refuses a claim that was recorded on another connection', async () => {
    const a = await world.node('a');
    const first = await dial(a);
    const nonce = nonceOf(await bytes(first, GREETING)) as Buffer;
    const claim = encodeClaim({ from: 'x', name: 'x', to: a.fleet.id }, SECRET, nonce, randomBytes(NONCE));
    first.write(claim);
    expect((await bytes(first, VERDICT))[0]).toBe(Verdict.Welcome);
    const second = await dial(a);
    await bytes(second, GREETING);
    second.write(claim);
    expect((await bytes(second, VERDICT))[0]).toBe(Verdict.WrongSecret);
  });

  it('refuses who means another node, and itself', async () => {
    const a = await world.node('a');
    const refusal = async (from: string, to: string): Promise<unknown> =>
      introduce(await dial(a), { from, name: 'x', to }, SECRET).catch(({ message }) => message);
    expect(await refusal('x', 'another')).toBe('The peer refused: another node listens at that address');
    expect(await refusal(a.fleet.id, a.fleet.id)).toBe('The peer refused: the node dialed itself');
  });

  it('lets go of who says too much, something else, or nothing', async () => {
    const a = await world.node('a');
    const tooMuch = await dial(a);
    tooMuch.write(Buffer.of(0xff, 0xff));
    const http = await dial(a);
    http.write('GET / HTTP/1.1\r\nHost: app.example\r\n\r\n');
    const silent = await dial(a);
    for (const socket of [tooMuch, http, silent]) socket.resume();
    await world.until(() => silent.destroyed && http.destroyed && tooMuch.destroyed, 50);
    expect(a.fleet.stats()).toMatchObject({ peersRejected: 3, linksIn: 0 });
  });

  it('is not believed where it does not know the secret itself', async () => {
    const impostor = createServer((socket) => {
      socket.on('error', () => {});
      socket.write(Buffer.concat([Buffer.from('yfl1'), randomBytes(NONCE)]));
      socket.once('data', () => socket.write(Buffer.concat([Buffer.of(Verdict.Welcome), randomBytes(32)])));
    });
    onTestFinished(() => new Promise((resolve) => impostor.close(() => resolve())));
    impostor.listen(0, '127.0.0.1');
    await once(impostor, 'listening');
    const { port } = impostor.address() as { port: number };
    const a = await world.node('a');
    const poisoned = world.engine.connect();
    await poisoned.beat(nodeRecord('x', { address: `127.0.0.1:${port}` }), 600_000);
    await poisoned.publish([{ node: 'x', name: 'app', seq: 1, sessions: 1, agents: [] }]);
    const failed = (): boolean =>
      a.fleet.nodes().some(({ lastError }) => lastError === 'The peer does not know the secret');
    await world.until(failed);
    await expect(world.settled(a.fleet.openStream('app'))).rejects.toMatchObject({
      code: 'ERR_YAMUX_FLEET_UNREACHABLE',
    });
  });
});

describe('the peer port with certificates', () => {
  it('links nodes whose certificates are for their names', async () => {
    const a = await world.node('a', { tls: tlsOf('a') });
    const b = await world.node('b', { tls: tlsOf('b') });
    b.agent('agent', ['app']);
    await world.converged();
    const { stream } = await a.fleet.openStream('app', {}, { acknowledged: true });
    expect(await exchange(stream, 'x')).toBe('agent\nx');
  });

  it('refuses who has no certificate', async () => {
    const a = await world.node('a', { tls: tlsOf('a') });
    const { ca } = tlsOf('a');
    const socket = connectTls({ ...addressOf(a.fleet.address), ca, servername: 'a' });
    const [error] = await once(socket, 'error');
    expect(String((error as { code?: unknown }).code)).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET/);
    expect(a.fleet.stats().linksIn).toBe(0);
  });

  it("refuses a certificate of another authority, and one of the fleet's for another name", async () => {
    const a = await world.node('a', { tls: tlsOf('a') });
    const foreign = connectTls({ ...addressOf(a.fleet.address), ...tlsOf('stranger', 'fleet-ca'), servername: 'a' });
    let heard = 0;
    foreign.on('data', (data) => {
      heard += data.length;
    });
    foreign.on('error', () => {});
    await once(foreign, 'close');
    expect(heard).toBe(0);
    const liar = connectTls({ ...addressOf(a.fleet.address), ...tlsOf('b'), servername: 'a' });
    onTestFinished(() => void liar.destroy());
    await once(liar, 'secureConnect');
    await expect(introduce(liar, { from: 'x', name: 'a', to: a.fleet.id }, '')).rejects.toThrow(
      'the certificate is not for the name of the node',
    );
  });

  it('does not link to a node whose certificate is for another name', async () => {
    const a = await world.node('a', { tls: tlsOf('a') });
    await world.node('c', { tls: tlsOf('b') });
    const said = (): string | undefined => a.fleet.nodes().find(({ name }) => name === 'c')?.lastError;
    await world.until(() => said() !== undefined);
    expect(said()).toContain("does not match certificate's altnames");
    expect(a.fleet.stats().nodesReachable).toBe(1);
  });
});

describe('a peer that is one', () => {
  it('gets streams of the sessions of this node alone, whatever it asks for: there is no second hop', async () => {
    const a = await world.node('a');
    const b = await world.node('b');
    b.agent('agent', ['app']);
    await world.converged();
    // a knows where the name is.
    (await a.fleet.openStream('app', {}, { acknowledged: true })).stream.destroy();
    const { forwardsOut } = a.fleet.stats();
    const stream = await asked(await insider(a), encodeHead(HEAD));
    expect((await readAnswer(stream)).status).toBe('not-here');
    expect(a.fleet.stats().forwardsOut).toBe(forwardsOut);
  });

  it('gets no session that does not serve the name, though it names the session', async () => {
    const a = await world.node('a');
    const secret = a.agent('secret', ['secret']);
    a.agent('agent', ['app']);
    const routing = { sessionId: 'secret' };
    const stream = await asked(await insider(a), encodeHead({ ...HEAD, routing }));
    expect((await readAnswer(stream)).status).toBe('not-here');
    expect(secret.seen).toEqual([]);
  });

  it('gets nothing by a routing that is none, a head that is too large, or one that is cut off', async () => {
    const a = await world.node('a');
    a.agent('agent', ['app']);
    const session = await insider(a);
    const odd = await asked(session, encodeHead({ ...HEAD, routing: { nothing: 1 } as never }));
    expect((await readAnswer(odd)).status).toBe('refused');
    const large = await asked(session, Buffer.of(1, 0xff, 0xff));
    await once(large, 'error');
    const cut = await asked(session, encodeHead(HEAD).subarray(0, 5));
    cut.end();
    cut.resume();
    await new Promise((resolve) => cut.on('close', resolve));
    expect(a.pool.stats().openAttempts).toBe(0);
  });

  it('loses a stream whose head does not come', async () => {
    const a = await world.node('a');
    const stream = await asked(await insider(a), Buffer.of(1));
    let isReset = false;
    stream.on('close', () => {
      isReset = true;
    });
    stream.resume();
    await world.until(() => isReset, 100);
  });
});
