import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { LiveFeed } from '../../src/admin/live-feed.ts';
import type { Snapshot } from '../../src/admin/snapshot.ts';
import { startAdmin } from '../support/admin.ts';
import { askForHead, listen } from '../support/http.ts';
import { askAndServe, signal, startAgent, startGateway } from '../support/tunnel.ts';

/** The events of an answer, as values. */
async function* events<T>(response: IncomingMessage): AsyncGenerator<T> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      yield JSON.parse(text.slice('data: '.length, end)) as T;
      text = text.slice(end + 2);
    }
  }
}

describe('a feed', () => {
  let count = 0;
  let feed: LiveFeed;
  let port: number;
  let joined = signal<ServerResponse>();
  const value = { count: 0, filling: '' };

  beforeEach(async () => {
    count = 0;
    value.filling = '';
    joined = signal();
    feed = new LiveFeed(() => {
      count += 1;
      return { ...value, count };
    });
    port = await listen((_request, response) => {
      feed.join(response);
      joined.tell(response);
    });
  });
  afterEach(() => feed.close());

  async function view(): Promise<{ response: ServerResponse; viewer: IncomingMessage }> {
    joined = signal();
    const viewer = await askForHead({ port });
    onTestFinished(() => void viewer.destroy());
    return { response: await joined.happened, viewer };
  }

  it('shows each viewer how things are at once, and makes each later snapshot once for all', async () => {
    const { viewer: first } = await view();
    const { viewer: second } = await view();
    const [one, other] = [events<{ count: number }>(first), events<{ count: number }>(second)];
    expect(await one.next()).toMatchObject({ value: { count: 1 } });
    expect(await other.next()).toMatchObject({ value: { count: 2 } });
    feed.push();
    expect([await one.next(), await other.next()]).toMatchObject([{ value: { count: 3 } }, { value: { count: 3 } }]);
  });

  it('makes nothing while nobody looks', async () => {
    feed.push();
    expect(count).toBe(0);
    const { viewer, response } = await view();
    const left = once(response, 'close');
    viewer.destroy();
    await left;
    feed.push();
    expect([count, feed.viewers]).toEqual([1, 0]);
  });

  it('makes one snapshot of many changes at a time', async () => {
    const { viewer } = await view();
    const seen = events<{ count: number }>(viewer);
    await seen.next();
    for (let change = 0; change < 100; change += 1) feed.changed();
    expect(await seen.next()).toMatchObject({ value: { count: 2 } });
    expect(count).toBe(2);
  });

  it('skips a viewer that does not read, holds one snapshot for it, and goes on with the latest when it reads again', async () => {
    const { viewer: slow, response } = await view();
    value.filling = 'x'.repeat(1024 * 1024);
    const { viewer: quick } = await view();
    const seen = events<{ count: number }>(quick);
    await seen.next();
    let pushed = 0;
    while (!response.writableNeedDrain) {
      feed.push();
      pushed += 1;
      expect(pushed).toBeLessThan(200);
      await seen.next();
    }
    const held = response.writableLength;
    for (let more = 0; more < 20; more += 1) {
      feed.push();
      await seen.next(); // the quick one misses none
    }
    expect(response.writableLength).toBeLessThanOrEqual(held);
    expect(held).toBeLessThan(3 * 1024 * 1024);
    value.filling = '';
    let latest: number | undefined;
    response.once('drain', () => {
      feed.push();
      latest = count;
    });
    for await (const { count: seenCount } of events<{ count: number }>(slow)) if (seenCount === latest) break;
  });
});

describe('/events', () => {
  it('tells at once when a session joins, drains and leaves, and what was served', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] }); // no snapshot but those of changes
    onTestFinished(() => void vi.useRealTimers());
    const gateway = await startGateway({ tcp: [{ name: 'db', port: 0 }] });
    const admin = await startAdmin(gateway);
    const viewer = await askForHead({ port: admin.port, path: '/events', host: 'localhost' });
    onTestFinished(() => void viewer.destroy());
    expect(viewer.headers['content-type']).toBe('text/event-stream');
    const seen = events<Snapshot>(viewer);
    const until = async (isWanted: (snapshot: Snapshot) => boolean): Promise<Snapshot> => {
      for (;;) {
        const { value, done } = await seen.next();
        if (done === true) throw new Error('the feed ended');
        if (isWanted(value)) return value;
      }
    };
    const empty = await until(() => true);
    expect(empty).toMatchObject({
      gateway: { state: 'serving', url: gateway.gateway.url },
      sessions: [],
      requests: [],
    });
    expect(empty.routes).toEqual([
      { service: 'tcp:db', port: gateway.gateway.tcpPorts.get('db'), agents: [], elsewhere: [] },
    ]);

    const { relay } = await startAgent(gateway, { origin: (_request, response) => response.end('served') });
    await until(({ sessions }) => sessions.length === 1);
    await askAndServe(gateway);
    gateway.gateway.drain('alpha', 'a new kernel');
    const drained = await until(({ sessions }) => sessions[0]?.state === 'draining');
    expect(drained.sessions).toMatchObject([
      {
        key: 'alpha~1',
        agent: 'alpha',
        tenant: 'test',
        weight: 1,
        active: 0,
        cap: 1000,
        opens: 1,
        drainReason: 'a new kernel',
      },
    ]);
    expect(drained.requests).toMatchObject([{ kind: 'http', service: 'app.example', agent: 'alpha', status: 200 }]);
    expect(drained.routes[0]).toEqual({
      service: 'app.example',
      port: null,
      agents: [{ agent: 'alpha', sessions: 1, available: 0 }],
      elsewhere: [],
    });
    relay.cut(true);
    const gone = await until(({ sessions }) => sessions.length === 0);
    expect(gone.events.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['gone', 'alpha~1'],
      ['draining', 'alpha~1'],
      ['joined', 'alpha~1'],
    ]);
    expect(gone.events[0]?.text).toMatch(/^was lost: /);
    void gateway.gateway.close(0);
    expect(await until(({ gateway: { state } }) => state === 'draining')).toMatchObject({
      gateway: { reason: 'the gateway was asked to stop' },
    });
  });

  it('takes so many viewers and no more', async () => {
    const admin = await startAdmin(await startGateway());
    for (let count = 0; count < 64; count += 1) {
      const viewer = await askForHead({ port: admin.port, path: '/events', host: 'localhost' });
      expect(viewer.statusCode).toBe(200);
      onTestFinished(() => void viewer.destroy());
    }
    const { statusCode } = await askForHead({ port: admin.port, path: '/events', host: 'localhost' });
    expect(statusCode).toBe(503);
  });
});
