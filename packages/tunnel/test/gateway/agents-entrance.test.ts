// Where agents come in, and how long they stay when the clock of the machine is set.
import { connect } from 'node:net';
import { dial } from '@zishuo/yamux-websocket';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ask } from '../support/http.ts';
import { type Gateway, HOST, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

const HOUR = 3_600_000;

afterEach(() => void vi.useRealTimers());

async function dialBy({ port }: Gateway, token: string, headers: Record<string, string> = {}): Promise<void> {
  const session = await dial(`ws://127.0.0.1:${port}/connect`, {
    headers: { ...headers, Authorization: `Bearer ${token}` },
  });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
}

describe('agents', () => {
  it('come in by their own host alone where there is one, and the path is free for all others', async () => {
    const gateway = await startGateway({ agentHost: 'AGENTS.example.' });
    await expect(dialBy(gateway, tokenFor('alpha'))).rejects.toMatchObject({ status: 404 });
    await dialBy(gateway, tokenFor('alpha', ['other.example']), { Host: 'Agents.Example:8080' });
    const token = tokenFor('bravo');
    const session = await dial(`ws://127.0.0.1:${gateway.port}/connect`, {
      headers: { Host: 'agents.example', Authorization: `Bearer ${token}` },
    });
    session.on('error', () => {}).on('stream', (stream) => stream.destroy());
    onTestFinished(() => session.destroy());
    const { status } = await ask({ port: gateway.port, path: '/connect' });
    expect(status).toBe(502); // it went to an agent
    expect((await ask({ port: gateway.port, path: '/connect', host: 'agents.example' })).status).toBe(404);
  });

  it.each([{}, { agentPort: 0 }])(
    'that were refused, and stay, do not hold up the end of the gateway (%j)',
    async (options) => {
      const gateway = await startGateway(options);
      const client = connect({
        port: Number(new URL(gateway.gateway.agentUrl).port),
        host: '127.0.0.1',
        allowHalfOpen: true,
      });
      onTestFinished(() => void client.destroy());
      client.on('error', () => {});
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }); // the time that it has does not pass
      const refused = gateway.logged('agent refused');
      const websocket =
        'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n';
      client.write(`GET /connect HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\n${websocket}\r\n`);
      await refused;
      await gateway.gateway.close(0);
    },
  );

  it('end with their tokens by the clock on the wall, also when that jumps ahead', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const gateway = await startGateway();
    await dialBy(gateway, tokenFor('alpha', [HOST], Date.now() + HOUR));
    await dialBy(gateway, tokenFor('bravo', [HOST], Date.now() + 3 * HOUR));
    const cut = gateway.logged('agent cut');
    const gone = gateway.logged('agent gone');
    vi.setSystemTime(Date.now() + 2 * HOUR);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await cut).toMatchObject({ agent: 'alpha', reason: 'its token has expired' });
    expect(await gone).toMatchObject({ agent: 'alpha' });
    await expect(dialBy(gateway, tokenFor('charlie', [HOST], Date.now() - HOUR))).rejects.toMatchObject({
      status: 401,
    });
    expect([...gateway.gateway.routes.sessions].map(({ claims }) => claims.agent)).toEqual(['bravo']);
  });

  it('and their requests are not concerned when it jumps back', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const gateway = await startGateway();
    await startAgent(gateway, { origin: (_request, response) => response.end('served') });
    vi.setSystemTime(Date.now() - 24 * HOUR);
    const served = gateway.logged('served');
    expect((await ask({ port: gateway.port })).body).toBe('served');
    expect((await served).milliseconds).toBeGreaterThanOrEqual(0);
    vi.setSystemTime(Date.now() + 48 * HOUR);
    expect((await ask({ port: gateway.port })).status).toBe(200);
  });
});
