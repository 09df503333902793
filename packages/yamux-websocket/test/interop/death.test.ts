// A truncated stream never ends cleanly: the Go process dies in the middle of a message.
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type {} from '../../../yamux/test/interop/global-setup.ts';
import { GoPeer, type Role } from '../../../yamux/test/interop/go-peer.ts';
import { receive } from '../../../yamux/test/interop/transfer.ts';
import { socketClosed } from '../../src/index.ts';
import { closeServers } from '../support/http-server.ts';
import { acceptGo, dialGo } from './connection.ts';

const executable = inject('goPeer');

describe.skipIf(executable === null).each<Role>(['client', 'server'])('our %s over a WebSocket', (role) => {
  let peer: GoPeer;

  beforeEach(() => {
    peer = new GoPeer(executable as string);
  });

  afterEach(async () => {
    await peer.stop();
    await closeServers();
  });

  test.each([
    ['agent dies', acceptGo],
    ['gateway dies', dialGo],
  ])('errors every stream when a Go %s within a message', async (_who, connect) => {
    const { ours, go } = await connect(role, peer, { keepAliveInterval: 0 });
    const closed = new Promise<void>((resolve) => ours.once('close', resolve));
    const errored = once(ours, 'error');
    const [quiet, quietInGo] = await Promise.all([ours.open(), go.accept()]);
    const [busy, busyInGo] = await Promise.all([ours.open(), go.accept()]);
    const received = [quiet, busy].map((stream) => receive(stream));
    await quietInGo.send(1, 1000);
    await busyInGo.send(2, 100_000);
    await go.dieWithin();
    await expect(busyInGo.send(3, 100_000)).rejects.toThrow();
    const outcomes = await Promise.all(received);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(2).fill('ERR_YAMUX_TRANSPORT_FAILED'));
    expect(outcomes.map(({ bytes }) => bytes)).toEqual([1000, expect.any(Number)]);
    expect(outcomes[1]?.bytes).toBeGreaterThanOrEqual(100_000);
    expect(outcomes[1]?.bytes).toBeLessThan(200_000);
    const [error] = await errored;
    expect(error).toMatchObject({ code: 'ERR_YAMUX_TRANSPORT_FAILED' });
    await closed;
    expect(await socketClosed(ours)).toMatchObject({ code: 1006, wasClean: false });
  });
});
