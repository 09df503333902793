import { afterEach, describe, expect, it } from 'vitest';
import { UpgradeRefusedError } from '../src/errors.ts';
import { type Gateway, gateway, keep, stopKeepers } from './support/gateway.ts';

afterEach(stopKeepers);

describe('a Reconnector that is refused', () => {
  const credentials = (attempt: { readonly fresh: boolean }) => ({
    headers: { authorization: attempt.fresh ? 'fresh' : 'stale' },
  });

  it('asks for fresh credentials once, and continues when they are accepted', async () => {
    const far = await gateway((attempt) => (attempt === 1 ? new UpgradeRefusedError(401) : undefined));
    const { clock, session, pause } = keep([far.url], { dial: credentials });
    clock.advance((await pause(1)).delay);
    await session(1);
    expect(far.attempts.map(({ headers }) => headers.authorization)).toEqual(['stale', 'fresh']);
  });

  it('gives up when fresh credentials are refused too', async () => {
    const far = await gateway(() => new UpgradeRefusedError(403, { body: 'not you' }));
    const { keeper, clock, pause } = keep([far.url], { dial: credentials });
    clock.advance((await pause(1)).delay);
    expect(await keeper.stopped).toMatchObject({ status: 403, body: 'not you' });
    expect(far.attempts).toHaveLength(2);
    expect(clock.pending).toBe(0);
  });

  it.each([1008, 4401, 4403])('gives up at the second close code %i in a row', async (code) => {
    const far = await gateway();
    const { keeper, clock, session, pause } = keep([far.url], { dial: credentials });
    await session(1);
    await far.session(1);
    far.close(code);
    clock.advance((await pause(1)).delay);
    await session(2);
    await far.session(2);
    far.close(code, 'expired');
    expect(await keeper.stopped).toMatchObject({
      cause: expect.objectContaining({ closeCode: code, reason: 'expired' }),
    });
  });

  it('asks for fresh credentials again after a session that lasted', async () => {
    const far = await gateway();
    const { clock, session, pause } = keep([far.url], { dial: credentials });
    for (const number of [1, 2, 3]) {
      await session(number);
      await far.session(number);
      clock.advance(10_000);
      far.close(4401);
      clock.advance((await pause(number)).delay);
    }
    expect(far.attempts.map(({ headers }) => headers.authorization)).toEqual(['stale', 'fresh', 'fresh']);
  });

  it.each([
    ['close code 4409', (far: Gateway) => far.close(4409, 'replaced')],
    ['close code 1009', (far: Gateway) => far.close(1009)],
  ])('gives up after %s', async (_what, end) => {
    const far = await gateway();
    const { keeper, session, retries } = keep([far.url]);
    await session(1);
    await far.session(1);
    end(far);
    expect(await keeper.stopped).toBeInstanceOf(Error);
    expect(retries).toEqual([]);
    expect(far.attempts).toHaveLength(1);
  });

  it('gives up after a second refusal that does not change by itself', async () => {
    const far = await gateway(() => new UpgradeRefusedError(400));
    const { keeper, clock, pause } = keep([far.url]);
    clock.advance((await pause(1)).delay);
    expect(await keeper.stopped).toMatchObject({ status: 400 });
    expect(far.attempts).toHaveLength(2);
  });

  it.each([
    ['a status that will be the same next time', 400],
    ['credentials that are refused, fresh ones too', 401],
  ])(
    'never gives up with giveUp: false after %s, and dials rarely from the second refusal on',
    async (_what, status) => {
      const far = await gateway(() => new UpgradeRefusedError(status));
      const { clock, pause } = keep([far.url], { giveUp: false, dial: credentials, random: () => 0.999 });
      const delays: number[] = [];
      for (let number = 1; number < 5; number += 1) {
        const { delay } = await pause(number);
        delays.push(delay);
        clock.advance(delay);
      }
      expect(delays).toEqual([250, 29_970, 29_970, 29_970]);
    },
  );

  it.each([4409, 1009])('never gives up with giveUp: false after close code %i', async (code) => {
    const far = await gateway();
    const { clock, session, pause } = keep([far.url], { giveUp: false });
    await session(1);
    await far.session(1);
    far.close(code);
    clock.advance((await pause(1)).delay);
    await session(2);
  });

  it.each([200, 302, 404, 521, 522, 530])(
    'continues after HTTP status %i, which a server in front of the gateway sends',
    async (status) => {
      const far = await gateway((attempt) => (attempt < 4 ? new UpgradeRefusedError(status) : undefined));
      const { clock, session, pause } = keep([far.url]);
      for (const number of [1, 2, 3]) clock.advance((await pause(number)).delay);
      await session(1);
    },
  );

  it('continues with the other URLs when one refuses fresh credentials too', async () => {
    const [refusing, good] = [await gateway(() => new UpgradeRefusedError(401)), await gateway()];
    const { clock, session, pause, served } = keep([refusing.url, good.url], { dial: credentials });
    clock.advance((await pause(1)).delay);
    await session(1);
    for (const [lost, pauses] of [
      [1, 2],
      [2, 4],
    ] as const) {
      (await good.session(lost)).destroy();
      // The URL is dialed again with fresh credentials, and then left out.
      for (let number = pauses; number < pauses + (lost === 1 ? 2 : 1); number += 1)
        clock.advance((await pause(number)).delay);
      await session(lost + 1);
    }
    expect(served).toEqual([good.url, good.url, good.url]);
    expect(refusing.attempts.map(({ headers }) => headers.authorization)).toEqual(['stale', 'fresh']);
  });

  it('dials a URL that refused again, after a session at another URL has lasted', async () => {
    const refusing = await gateway((attempt) => (attempt < 3 ? new UpgradeRefusedError(401) : undefined));
    const good = await gateway();
    const { clock, session, pause, served } = keep([refusing.url, good.url], { dial: credentials });
    clock.advance((await pause(1)).delay);
    await session(1);
    (await good.session(1)).destroy();
    clock.advance((await pause(2)).delay);
    clock.advance((await pause(3)).delay);
    await session(2);
    clock.advance(10_000);
    (await good.session(2)).destroy();
    clock.advance((await pause(4)).delay);
    await session(3);
    expect(served).toEqual([good.url, good.url, refusing.url]);
  });

  it('gives up when every URL has refused fresh credentials', async () => {
    const far = [await gateway(() => new UpgradeRefusedError(401)), await gateway(() => new UpgradeRefusedError(403))];
    const { keeper, clock, pause } = keep(
      far.map(({ url }) => url),
      { dial: credentials },
    );
    for (const number of [1, 2]) clock.advance((await pause(number)).delay);
    expect(await keeper.stopped).toMatchObject({ status: 401 });
    expect(far.map(({ attempts }) => attempts.map(({ headers }) => headers.authorization))).toEqual([
      ['stale', 'fresh'],
      ['fresh'],
    ]);
  });

  it('continues when the source of the credentials fails, whatever it throws', async () => {
    const { url } = await gateway();
    let asked = 0;
    const dial = (): Promise<object> => {
      asked += 1;
      return asked === 1 ? Promise.reject(new TypeError('fetch failed')) : Promise.resolve({});
    };
    const { clock, session, pause } = keep([url], { dial });
    const { error, delay } = await pause(1);
    expect(error).toMatchObject({ message: 'fetch failed' });
    clock.advance(delay);
    await session(1);
  });
});
