import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { recommendedWsOptions } from '../src/ws-options.ts';
import { closePairs, wsPair } from './support/ws-pair.ts';

afterEach(closePairs);

describe('recommendedWsOptions()', () => {
  it('turns compression off and bounds messages and the closing handshake', () => {
    expect(recommendedWsOptions()).toEqual({
      perMessageDeflate: false,
      maxPayload: 16 * 1024 * 1024 + 65_536,
      maxFragments: 16_384,
      closeTimeout: 60_000,
    });
  });

  it('allows messages as large as the largest frame of the session', () => {
    expect(recommendedWsOptions({ maxStreamWindow: 1024 * 1024 }).maxPayload).toBe(1024 * 1024 + 65_536);
    expect(() => recommendedWsOptions({ maxStreamWindow: -1 })).toThrow(
      'Expected maxStreamWindow to be a whole number',
    );
  });

  it('follows the options of the stream', () => {
    const stream = { maxInboundMessageBytes: 1000, closeTimeout: 90_000 };
    expect(recommendedWsOptions({ maxStreamWindow: 1024 * 1024 }, stream)).toMatchObject({
      maxPayload: 1000,
      closeTimeout: 90_000,
    });
    expect(() => recommendedWsOptions({}, { closeTimeout: -1 })).toThrow(RangeError);
  });

  it('is accepted by both constructors of ws', async () => {
    const { client, server } = await wsPair({ ...recommendedWsOptions({}, { maxInboundMessageBytes: 1000 }) });
    client.on('error', () => {});
    server.send(Buffer.alloc(1001));
    const [code] = (await once(server, 'close')) as [number];
    expect(code).toBe(1009);
    expect(new WebSocketServer({ noServer: true, ...recommendedWsOptions() }).options.perMessageDeflate).toBe(false);
  });
});
