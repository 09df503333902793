import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Backend, Front } from '../../src/demo/front.ts';
import { ask, askRaw, listen, listenRaw } from '../support/http.ts';
import { freePort, signal } from '../support/tunnel.ts';

interface Gateway extends Backend {
  isReady: boolean;
}

/** A gateway as its front sees it: one port for requests, one that tells whether it is ready. */
async function gateway(port: number): Promise<Gateway> {
  const admin = await listen((_request, response) => response.writeHead(state.isReady ? 200 : 503).end());
  const state: Gateway = { host: '127.0.0.1', port, readyUrl: `http://127.0.0.1:${admin}/readyz`, isReady: true };
  return state;
}

async function named(name: string): Promise<Gateway> {
  return gateway(await listen((_request, response) => response.end(name)));
}

async function frontOf(...backends: Backend[]): Promise<number> {
  const front = await Front.listen(backends);
  onTestFinished(() => front.close());
  return Number(new URL(front.url).port);
}

async function onlyBackend(handler: RequestListener): Promise<number> {
  return frontOf(await gateway(await listen(handler)));
}

const bodies = async (port: number, count: number): Promise<string[]> => {
  const seen: string[] = [];
  while (seen.length < count) seen.push((await ask({ port })).body);
  return seen;
};

describe('a front', () => {
  it('takes turns among its gateways', async () => {
    const port = await frontOf(await named('one'), await named('two'));
    expect((await bodies(port, 4)).sort()).toEqual(['one', 'one', 'two', 'two']);
  });

  it('sends nothing to one that says that it is not ready, until it is again', async () => {
    const [one, two] = [await named('one'), await named('two')];
    const front = await Front.listen([one, two]);
    onTestFinished(() => front.close());
    const port = Number(new URL(front.url).port);
    one.isReady = false;
    while ((await bodies(port, 2)).includes('one')); // it has not looked yet
    expect(await bodies(port, 4)).toEqual(['two', 'two', 'two', 'two']);
    one.isReady = true;
    await front.becomesReady(one);
    expect(await bodies(port, 2)).toContain('one');
  });

  it('still sends to one that says nothing in time: it may only have no processor', async () => {
    const port = await listen((_request, response) => response.end('slow'));
    const { happened, tell } = signal();
    let looks = 0;
    const admin = await listen((_request, response) => {
      looks += 1;
      if (looks === 1) response.end();
      else if (looks === 3) tell(); // the second look is over, and had no answer
    });
    const slow = { host: '127.0.0.1', port, readyUrl: `http://127.0.0.1:${admin}/readyz` };
    const front = await frontOf(slow);
    await happened;
    expect(await bodies(front, 2)).toEqual(['slow', 'slow']);
  });

  it('goes to the next one where nobody opens the door', async () => {
    const dead = { ...(await named('dead')), port: await freePort() };
    const port = await frontOf(await named('one'), dead);
    expect(await bodies(port, 3)).toEqual(['one', 'one', 'one']);
  });

  it('says 503 where none is ready', async () => {
    const one = await named('one');
    const port = await frontOf(one);
    one.isReady = false;
    while ((await ask({ port })).status === 200);
    expect(await ask({ port })).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
  });

  it('hands on bodies both ways, of a known length and in chunks', async () => {
    const port = await onlyBackend((request, response) => void request.pipe(response));
    expect((await ask({ port, method: 'POST', body: 'a known length' })).body).toBe('a known length');
    expect((await ask({ port, method: 'POST', body: Readable.from(['in ', 'chunks']) })).body).toBe('in chunks');
  });

  it('breaks off an answer that its gateway broke off', async () => {
    const port = await onlyBackend((_request, response) => {
      response.writeHead(200, { 'Content-Length': 100 }).write('short', () => response.destroy());
    });
    await expect(ask({ port })).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('lets an answer through that comes before the body was sent', async () => {
    const backend = await listenRaw((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbad'),
      );
    });
    const port = await frontOf(await gateway(backend));
    expect(
      await askRaw(port, 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\nbegun'),
    ).toMatch(/ 502 .*bad$/s);
  });

  it('tells its gateway that a client has left', async () => {
    const asked = signal<ServerResponse>();
    const port = await onlyBackend((_request, response) => asked.tell(response));
    const client = connect({ port, host: '127.0.0.1' });
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const held = await asked.happened;
    const left = once(held, 'close');
    client.destroy();
    await left;
    expect(held.writableFinished).toBe(false);
  });
});
