// The keys of an identity provider, at a URL.
import type { RequestListener } from 'node:http';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { TokenKeys } from '../src/token-keys.ts';
import { listen, listenRaw } from './support/http.ts';
import { freePort } from './support/tunnel.ts';

interface Signer {
  readonly jwk: JWK;
  token(): Promise<string>;
}

async function signer(kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' },
    token: () =>
      new SignJWT({ routes: ['app.example'] })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setSubject('alpha')
        .setExpirationTime(Math.floor(Date.now() / 1_000) + 3_600)
        .sign(privateKey),
  };
}

let [first, second]: Signer[] = [];
beforeAll(async () => {
  [first, second] = await Promise.all([signer('first'), signer('second')]);
});

/** A provider that answers as `answer` says, and counts how often. */
async function provider(answer: RequestListener): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const port = await listen((request, response) => {
    asked += 1;
    answer(request, response);
  });
  return { url: `http://127.0.0.1:${port}/keys`, asked: () => asked };
}

const verify = async (keys: TokenKeys, signed: Signer | undefined): Promise<unknown> =>
  keys.verify(await (signed as Signer).token(), Date.now());
const unavailable = { code: 'ERR_TUNNEL_KEYS_UNAVAILABLE' };

describe('keys at a URL', () => {
  it('are fetched once, and check tokens', async () => {
    const { url, asked } = await provider((_request, response) => response.end(JSON.stringify({ keys: [first?.jwk] })));
    const keys = new TokenKeys({ url });
    expect(asked()).toBe(0);
    expect(await verify(keys, first)).toMatchObject({ agent: 'alpha', routes: ['app.example'] });
    expect(await verify(keys, first)).toMatchObject({ agent: 'alpha' });
    expect(asked()).toBe(1);
  });

  it('may follow one another: a new key is fetched, at once or a little later, and no token is refused for good meanwhile', async () => {
    let current = [first?.jwk];
    const { url, asked } = await provider((_request, response) => response.end(JSON.stringify({ keys: current })));
    const keys = new TokenKeys({ url });
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    await verify(keys, first);
    current = [first?.jwk, second?.jwk];
    await expect(verify(keys, second)).rejects.toMatchObject(unavailable);
    expect(asked()).toBe(1);
    vi.setSystemTime(Date.now() + 10_000);
    expect(await verify(keys, second)).toMatchObject({ agent: 'alpha' });
    expect(await verify(keys, first)).toMatchObject({ agent: 'alpha' });
    expect(asked()).toBe(2);
  });

  it('that do not have the key of a token refuse it, once they were asked for it', async () => {
    const { url } = await provider((_request, response) => response.end(JSON.stringify({ keys: [first?.jwk] })));
    await expect(verify(new TokenKeys({ url }), second)).rejects.toMatchObject({ code: 'ERR_TUNNEL_TOKEN_SIGNATURE' });
  });

  it.each<[what: string, answer: RequestListener, why: RegExp]>([
    ['an error', (_request, response) => response.writeHead(500).end('no'), /got 500/],
    ['a redirect', (_request, response) => response.writeHead(302, { Location: '/elsewhere' }).end(), /got 302/],
    ['no JSON', (_request, response) => response.end('<html>'), /JSON/],
    ['no key set', (_request, response) => response.end('{"keys":5}'), /Key Set/],
    ['too much', (_request, response) => response.end(`{"keys":[${' '.repeat(2_000_000)}]}`), /at most 1048576 bytes/],
    [
      'without end',
      (_request, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(' '.repeat(65_536)));
        };
        response.on('drain', more).on('error', () => {});
        more();
      },
      /at most 1048576 bytes/,
    ],
  ])('whose provider answers %s cannot be had, which is no fault of the token', async (_what, answer, why) => {
    const { url } = await provider(answer);
    const refused = verify(new TokenKeys({ url }), first);
    await expect(refused).rejects.toMatchObject({ ...unavailable, message: expect.stringMatching(why) });
  });

  it('whose provider cannot be reached, or breaks off, cannot be had', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}/keys`;
    await expect(verify(new TokenKeys({ url: nobody }), first)).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringContaining('ECONNREFUSED'),
    });
    const port = await listenRaw((socket) => socket.once('data', () => socket.destroy()));
    const broken = `http://127.0.0.1:${port}/keys`;
    await expect(verify(new TokenKeys({ url: broken }), first)).rejects.toMatchObject(unavailable);
  });

  it('serve again when their provider does', async () => {
    let isDown = true;
    const { url } = await provider((_request, response) => {
      if (isDown) response.writeHead(503).end();
      else response.end(JSON.stringify({ keys: [first?.jwk] }));
    });
    const keys = new TokenKeys({ url });
    await expect(verify(keys, first)).rejects.toMatchObject(unavailable);
    isDown = false;
    expect(await verify(keys, first)).toMatchObject({ agent: 'alpha' });
  });
});
