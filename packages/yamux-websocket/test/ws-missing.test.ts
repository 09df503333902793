import { once } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dial } from '../src/dial.ts';
import { wsMissing } from '../src/errors.ts';
import { keepConnected } from '../src/reconnect.ts';
import { acceptUpgrades } from '../src/upgrade.ts';
import { closeServers, exchange, httpServer, upgradeRequest } from './support/http-server.ts';

vi.mock('ws', () => {
  throw new Error("Cannot find package 'ws'");
});

afterEach(closeServers);

describe('without the package ws', () => {
  const missing = expect.objectContaining({
    code: 'ERR_YAMUX_WEBSOCKET_WS_MISSING',
    message: "The package 'ws' could not be loaded: install it (npm install ws)",
  });

  it('dial() says what to install', async () => {
    await expect(dial('ws://127.0.0.1:1')).rejects.toEqual(missing);
  });

  it('keepConnected() gives up with that error', async () => {
    expect(await keepConnected({ urls: 'ws://127.0.0.1:1', onSession: () => {} }).stopped).toEqual(missing);
  });

  it('says that an ES module bundle must leave ws external', () => {
    const cause = new Error('Dynamic require of "events" is not supported');
    const message = "The package 'ws' could not be loaded: a bundle that is an ES module must leave it external";
    expect(() => wsMissing(cause)).toThrow(expect.objectContaining({ message, cause }));
  });

  it("acceptUpgrades() emits the server's 'error', and refuses every upgrade", async () => {
    const { server, port } = await httpServer();
    const told = once(server, 'error');
    const refused: unknown[] = [];
    acceptUpgrades(server, {
      path: '/',
      authenticate: () => true,
      onSession: () => {},
      onRefused: (refusal) => refused.push(refusal.cause),
    });
    expect(await told).toEqual([missing]);
    expect(await exchange(port, upgradeRequest('/'))).toMatch(/^HTTP\/1.1 500 /);
    expect(refused).toEqual([missing]);
  });
});
