// The control experiment: two Go peers with each other. Where this fails, the harness is at fault and not our Yamux.
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { GoPeer } from './go-peer.ts';
import { payload, sha256 } from './payload.ts';

const executable = inject('goPeer');

describe.skipIf(executable === null)('two Go peers', () => {
  let dialing: GoPeer;
  let listening: GoPeer;

  beforeEach(() => {
    dialing = new GoPeer(executable as string);
    listening = new GoPeer(executable as string);
  });

  afterEach(async () => {
    await Promise.all([dialing.stop(), listening.stop()]);
  });

  test('agree with each other, and with us on the bytes of a seed', async () => {
    const { port, session: server } = await listening.listen('server');
    const client = await dialing.dial(port, 'client');
    const size = 600_001; // more than two windows, and no multiple of a chunk

    const opened = await client.open();
    const accepted = await server.accept();
    const [echoed, sent, received] = await Promise.all([
      accepted.echo(),
      opened.send(7, size, 1000).then(async (transfer) => {
        await opened.closeWrite();
        return transfer;
      }),
      opened.receive(),
    ]);

    const hash = sha256(payload(7, size));
    expect(accepted.id).toBe(opened.id);
    expect(sent).toEqual({ bytes: size, sha256: hash, outcome: 'sent' });
    expect(echoed).toEqual({ bytes: size, sha256: hash, outcome: 'eof' });
    expect(received).toEqual({ bytes: size, sha256: hash, outcome: 'eof' });
    expect(await client.ping()).toBeGreaterThan(0);
    expect([...dialing.complaints, ...listening.complaints]).toEqual([]);
  });

  test('tell why a session ended', async () => {
    const { port, session: server } = await listening.listen('server');
    const client = await dialing.dial(port, 'client');
    await client.close();
    expect(await client.ended()).toBe('session shutdown');
    expect(await server.ended()).toBe('EOF');
  });

  test('refuse what they do not know instead of staying silent', async () => {
    await expect(dialing.perform({ do: 'listen' })).resolves.toMatchObject({ session: 1 });
    await expect(dialing.perform({ do: 'open', session: 9 })).rejects.toThrow('Go: no session 9');
    await expect(dialing.dial(1, 'client')).rejects.toThrow(/refused/);
  });

  test('leave no call hanging when they die', async () => {
    const { session } = await listening.listen('server');
    const never = session.accept();
    await Promise.all([listening.stop(), expect(never).rejects.toThrow('the Go peer is gone')]);
  });
});
