// What an agent says when it has no session: one line, with what to do.
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dial } from '@zishuo/yamux-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { linkFailure } from '../../src/agent/link-failure.ts';
import { Revocations } from '../../src/gateway/revocations.ts';
import { signToken } from '../../src/token.ts';
import { certificate } from '../support/certificate.ts';
import { freePort, type Gateway, HOST, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

async function said(url: string, token = ''): Promise<string> {
  const failed = await dial(url, { headers: { Authorization: `Bearer ${token}` } }).catch((error: unknown) => error);
  return linkFailure(failed);
}

const other = (): string =>
  signToken({ agent: 'a', tenant: 'other', routes: [HOST], expires: Date.now() + 60_000 }, 'the secret of another');

describe('a gateway that refuses an agent', () => {
  it.each<[what: string, token: () => string, advice: string]>([
    ['a token that is none', () => 'what', 'copy it whole'],
    ['a token of another gateway', other, 'was not issued for this gateway'],
    ['a token that has expired', () => tokenFor('alpha', [HOST], 1), 'has expired: issue another one'],
  ])('for %s has it say what to do', async (_what, token, advice) => {
    const { port } = await startGateway();
    const line = await said(`ws://127.0.0.1:${port}/connect`, token());
    expect(line).toMatch(/^the gateway refused the agent with 401 ERR_TUNNEL_TOKEN_/);
    expect(line).toContain(advice);
    expect(line).not.toContain('\n');
  });

  it('that is revoked, or whose host another tenant has, has it say so', async () => {
    const revocations = new Revocations();
    revocations.revoke('agent', 'bravo');
    const gateway: Gateway = await startGateway({ revocations });
    const url = `ws://127.0.0.1:${gateway.port}/connect`;
    expect(await said(url, tokenFor('bravo'))).toContain('403 ERR_TUNNEL_TOKEN_REVOKED: the agent, its tenant');
    await startAgent(gateway, { origin: 'http://127.0.0.1:1' });
    const claims = { agent: 'charlie', tenant: 'other', routes: [HOST], expires: Date.now() + 60_000 };
    const token = signToken(claims, 'the secret of this test');
    expect(await said(url, token)).toContain('403 ERR_TUNNEL_ROUTE_TAKEN: a host of the token');
  });

  it('by another path has it name the flag of the gateway', async () => {
    const { port } = await startGateway();
    expect(await said(`ws://127.0.0.1:${port}/conect`, tokenFor('alpha'))).toContain('--agent-path, /connect');
  });
});

it('a certificate that is not trusted is told with the variable that names its authority', async () => {
  const server = createServer(certificate).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const line = await said(`wss://127.0.0.1:${(server.address() as AddressInfo).port}/connect`);
  expect(line).toMatch(/^the certificate of the gateway is not trusted, .*NODE_EXTRA_CA_CERTS=<file>/);
});

it('where nobody listens, what the dial says is passed on', async () => {
  expect(await said(`ws://127.0.0.1:${await freePort()}/connect`)).toContain('nothing listens there');
});
