import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { dial } from '@zishuo/yamux-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Targets } from '../../src/agent/targets.ts';
import { TunnelAgent } from '../../src/agent/tunnel-agent.ts';
import { ask, askForHead } from '../support/http.ts';
import { HOST, signal, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

describe('an agent', () => {
  it('that lost its gateway dials again, and serves again', async () => {
    const gateway = await startGateway();
    const { relay } = await startAgent(gateway, { origin: (_request, response) => response.end('here') });
    const [gone, back] = [gateway.logged('agent gone'), gateway.logged('agent connected')];
    relay.cut();
    await gone;
    await back;
    expect((await ask({ port: gateway.port })).body).toBe('here');
  });

  it('that is stopped lets its requests finish and takes no new one', async () => {
    const gateway = await startGateway();
    const asked = signal<ServerResponse>();
    const { agent } = await startAgent(gateway, { origin: (_request, response) => asked.tell(response) });
    const running = ask({ port: gateway.port });
    const held = await asked.happened;
    const [drains, gone] = [gateway.logged('agent drains'), gateway.logged('agent gone')];
    const stopped = agent.close();
    await drains;
    expect((await ask({ port: gateway.port })).status).toBe(503);
    held.end('served');
    expect((await running).body).toBe('served');
    await stopped;
    expect(await gone).toMatchObject({ agent: 'alpha', error: undefined });
  });

  it('that is stopped cuts what still runs at its deadline', async () => {
    const gateway = await startGateway();
    const { agent } = await startAgent(gateway, { origin: (_request, response) => void response.write('for ever') });
    const response = await askForHead({ port: gateway.port });
    const stopped = agent.close(0);
    await expect(text(response)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await stopped;
  });

  it.each([
    ['no token', [] as string[], 'expected Authorization'],
    ['a token of another gateway', ['Authorization', 'Bearer e30.AAAA'], 'ERR_TUNNEL_TOKEN_SIGNATURE'],
    ['an expired token', ['Authorization', `Bearer ${tokenFor('alpha', [HOST], 1)}`], 'ERR_TUNNEL_TOKEN_EXPIRED'],
  ])('with %s is refused, and told why', async (_what, [name, value], reason) => {
    const gateway = await startGateway();
    const headers: Record<string, string> = name === undefined || value === undefined ? {} : { [name]: value };
    const refused = dial(`${gateway.gateway.url.replace('http', 'ws')}/connect`, { headers });
    await expect(refused).rejects.toMatchObject({ status: 401, body: expect.stringContaining(reason) });
  });

  it('whose token is refused stops, and says so', async () => {
    const gateway = await startGateway();
    const agent = new TunnelAgent({
      gateways: [`${gateway.gateway.url.replace('http', 'ws')}/connect`],
      token: tokenFor('alpha', [HOST], 1),
      targets: Targets.parse(['http://127.0.0.1:1']),
      log: () => {},
    });
    await expect(agent.ended).rejects.toMatchObject({ status: 401 });
    await expect(agent.connected).rejects.toMatchObject({ status: 401 });
  });

  it('that is stopped before it had a session tells those who wait for one', async () => {
    const agent = new TunnelAgent({
      gateways: ['ws://127.0.0.1:1/connect'],
      token: tokenFor('alpha'),
      targets: Targets.parse(['http://127.0.0.1:1']),
    });
    const connected = expect(agent.connected).rejects.toMatchObject({ code: 'ERR_TUNNEL_AGENT_CLOSED' });
    await agent.close(0);
    await connected;
    await agent.dialed;
  });

  it('cannot open streams to the gateway', async () => {
    const gateway = await startGateway();
    const url = `${gateway.gateway.url.replace('http', 'ws')}/connect`;
    const session = await dial(url, { headers: { Authorization: `Bearer ${tokenFor('rogue')}` } });
    session.on('error', () => {}); // the gateway of this test ends before it
    onTestFinished(() => session.destroy());
    const stream = await session.open();
    const [error] = (await once(stream, 'error')) as [Error];
    expect(error).toMatchObject({ code: 'ERR_YAMUX_STREAM_RESET', refused: true });
  });
});
