// Who may hold a session, and for how long.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dial } from '@zishuo/yamux-websocket';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Revocations } from '../../src/gateway/revocations.ts';
import { signToken } from '../../src/token.ts';
import { issueToken, TokenKeys } from '../../src/token-keys.ts';
import { ask, listen } from '../support/http.ts';
import { type Gateway, SECRET, signal, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

const NOW = Date.parse('2026-01-01');
const claims = { agent: 'alpha', tenant: 'acme', routes: ['app.example'], expires: NOW + 60_000 };

function file(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tunnel-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');
  writeFileSync(path, content);
  return path;
}

async function dialBy(gateway: Gateway, token: string): Promise<void> {
  const session = await dial(`ws://127.0.0.1:${gateway.port}/connect`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
}

/** Asks for an upgrade, and waits for no answer. */
async function upgrading(port: number, token: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  const websocket =
    'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n';
  const head = `GET /connect HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\n${websocket}Authorization: Bearer ${token}\r\n\r\n`;
  await new Promise((resolve) => socket.write(head, resolve));
  return socket;
}

describe('the keys of a gateway', () => {
  it('take what the secret has signed, in either form, and nothing that another has', async () => {
    const keys = new TokenKeys({ secret: SECRET });
    const jwt = await issueToken({ ...claims, weight: 2, id: 'token-1' }, SECRET);
    expect(await keys.verify(jwt, NOW)).toEqual({ ...claims, weight: 2, id: 'token-1' });
    expect(await keys.verify(signToken(claims, SECRET), NOW)).toMatchObject(claims);
    const foreign = await issueToken(claims, 'a secret of somebody else');
    await expect(keys.verify(foreign, NOW)).rejects.toMatchObject({ code: 'ERR_TUNNEL_TOKEN_SIGNATURE' });
    await expect(keys.verify(jwt, NOW + 60_000)).rejects.toMatchObject({ code: 'ERR_TUNNEL_TOKEN_EXPIRED' });
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${jwt.split('.')[1]}.`;
    await expect(keys.verify(unsigned, NOW)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_TUNNEL_TOKEN_/),
    });
  });

  it('check the claims of a token whole, whoever has signed it', async () => {
    const keys = new TokenKeys({ secret: SECRET });
    const sign = (payload: Record<string, unknown>): Promise<string> =>
      new SignJWT(payload)
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject('alpha')
        .setExpirationTime((NOW + 60_000) / 1_000)
        .sign(new TextEncoder().encode(SECRET));
    for (const routes of [undefined, [], ['*'], ['a b'], ['app.example', 5], ['tcp:']]) {
      await expect(keys.verify(await sign({ routes }), NOW)).rejects.toMatchObject({
        code: 'ERR_TUNNEL_TOKEN_MALFORMED',
      });
    }
    expect(await keys.verify(await sign({ routes: 'A.Example *.b.example' }), NOW)).toMatchObject({
      tenant: 'default',
      routes: ['a.example', '*.b.example'],
    });
  });

  it('may be several in a file: secrets by their id, and public ones of an identity provider', async () => {
    const secret = randomBytes(32);
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const keys = [
      { kty: 'oct', kid: 'old', k: secret.toString('base64url') },
      { ...(await exportJWK(publicKey)), kid: 'provider', alg: 'ES256' },
    ];
    const taken = new TokenKeys({ file: file(JSON.stringify({ keys })), audience: 'the gateway' });
    onTestFinished(() => taken.close());
    const sign = (alg: string, kid: string, audience: string): SignJWT =>
      new SignJWT({ routes: ['app.example'] })
        .setProtectedHeader({ alg, kid })
        .setSubject('alpha')
        .setAudience(audience)
        .setExpirationTime((NOW + 60_000) / 1_000);
    expect(await taken.verify(await sign('HS256', 'old', 'the gateway').sign(secret), NOW)).toMatchObject({
      agent: 'alpha',
    });
    expect(await taken.verify(await sign('ES256', 'provider', 'the gateway').sign(privateKey), NOW)).toMatchObject({
      agent: 'alpha',
    });
    await expect(taken.verify(await sign('ES256', 'provider', 'another').sign(privateKey), NOW)).rejects.toMatchObject({
      code: 'ERR_TUNNEL_TOKEN_MALFORMED',
    });
    await expect(taken.verify(await sign('HS256', 'new', 'the gateway').sign(secret), NOW)).rejects.toMatchObject({
      code: 'ERR_TUNNEL_TOKEN_SIGNATURE',
    });
    await expect(taken.verify(signToken(claims, SECRET), NOW)).rejects.toMatchObject({
      code: 'ERR_TUNNEL_TOKEN_SIGNATURE',
    });
  });

  it('are refused where there are none, or a file has none', () => {
    expect(() => new TokenKeys({})).toThrow(TypeError);
    expect(() => new TokenKeys({ file: file('{}') })).toThrow(TypeError);
    expect(() => new TokenKeys({ secret: 'short' })).toThrow(RangeError);
  });
});

describe('a session', () => {
  it('ends when its token does', async () => {
    const gateway = await startGateway();
    const gone = gateway.logged('agent gone');
    await dialBy(gateway, tokenFor('alpha', undefined, Date.now() + 300));
    expect(await gone).toMatchObject({ agent: 'alpha' });
    expect((await ask({ port: gateway.port })).status).toBe(503);
  });

  it('of an agent that is revoked by a file is refused', async () => {
    const revocations = new Revocations(file('# nobody else\nagent alpha\n\ntenant other\n'));
    const gateway = await startGateway({ revocations });
    await expect(dialBy(gateway, tokenFor('alpha'))).rejects.toMatchObject({
      status: 403,
      body: 'ERR_TUNNEL_TOKEN_REVOKED\n',
    });
    await dialBy(gateway, tokenFor('bravo'));
    expect(revocations.list).toEqual(['agent alpha', 'tenant other']);
    expect(() => new Revocations(file('everybody'))).toThrow(TypeError);
  });

  it('of another tenant is refused a host that is served, until it is free', async () => {
    const gateway = await startGateway();
    const { agent } = await startAgent(gateway, { origin: 'http://127.0.0.1:1' });
    const other = signToken(
      { ...claims, tenant: 'other', routes: ['app.example/other'], expires: Date.now() + 60_000 },
      SECRET,
    );
    await expect(dialBy(gateway, other)).rejects.toMatchObject({ status: 403, body: 'ERR_TUNNEL_ROUTE_TAKEN\n' });
    const gone = gateway.logged('agent gone');
    await agent.close(0);
    await gone;
    await dialBy(gateway, other);
  });

  it('of one tenant above maxDialsPerSecond is refused with 503, and nobody else uses up its rate', async () => {
    const gateway = await startGateway({ maxDialsPerSecond: 1 });
    const ofOther = signToken(
      { ...claims, tenant: 'other', routes: ['b.example'], expires: Date.now() + 60_000 },
      SECRET,
    );
    for (let dials = 0; dials < 10; dials += 1) {
      await expect(dialBy(gateway, 'none')).rejects.toMatchObject({ status: 401 });
    }
    await dialBy(gateway, tokenFor('alpha'));
    await dialBy(gateway, tokenFor('alpha'));
    await expect(dialBy(gateway, tokenFor('alpha'))).rejects.toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
    });
    await dialBy(gateway, ofOther);
  });

  it('waits for nobody whose keys have yet to come', async () => {
    const asked = signal<void>();
    const provider = await listen(() => asked.tell()); // and never answers
    const keys = new TokenKeys({ secret: SECRET, url: `http://127.0.0.1:${provider}/` });
    const gateway = await startGateway({ keys });
    const { privateKey } = await generateKeyPair('ES256');
    const unknown = await new SignJWT({ routes: ['app.example'] })
      .setProtectedHeader({ alg: 'ES256', kid: 'unknown' })
      .setSubject('alpha')
      .setExpirationTime('1h')
      .sign(privateKey);
    const strangers = Array.from({ length: 150 }, () => upgrading(gateway.port, unknown));
    await Promise.all(strangers);
    await asked.happened;
    await dialBy(gateway, tokenFor('alpha'));
  });

  it('serves every host below a wildcard, and that of another agent before it', async () => {
    const gateway = await startGateway();
    await startAgent(gateway, {
      name: 'all',
      routes: ['*.example'],
      origin: (_request, response) => response.end('all'),
    });
    await startAgent(gateway, {
      name: 'one',
      routes: ['one.example'],
      origin: (_request, response) => response.end('one'),
    });
    const by = async (host: string): Promise<string> => (await ask({ port: gateway.port, host })).body;
    expect([await by('a.example'), await by('b.a.example'), await by('one.example')]).toEqual(['all', 'all', 'one']);
    expect((await ask({ port: gateway.port, host: 'example' })).status).toBe(404);
  });
});

it('a gateway with a port for agents takes none at the public one', async () => {
  const gateway = await startGateway({ agentPort: 0 });
  const own = Number(new URL(gateway.gateway.agentUrl).port);
  await expect(dialBy(gateway, tokenFor('alpha'))).rejects.toMatchObject({ status: 404 });
  await dialBy({ ...gateway, port: own }, tokenFor('alpha'));
  expect((await ask({ port: own })).status).toBe(426);
});
