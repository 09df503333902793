// The origin and the load in both languages, and one of each together. No figure is checked.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Children } from '../../src/tunnel/children.ts';
import type { LoadGroup } from '../../src/tunnel/ends/messages.ts';
import { buildEnds, type EndsLanguage, LoadEnd, startOrigin } from '../../src/tunnel/ends.ts';

const hasGo = (await buildEnds()) === 'Go';
if (!hasGo) console.warn('the load and the origin in Go are not tested');
const languages: readonly EndsLanguage[] = hasGo ? ['Go', 'Node'] : ['Node'];
const pairs = languages.flatMap((origin) => languages.map((load) => ({ origin, load })));

let children: Children;
beforeEach(() => {
  children = new Children();
});
afterEach(() => children.end());

const down = (answers: number): LoadGroup => ({ connections: 2, answers, uploads: 0 });
const up = (uploads: number): LoadGroup => ({ connections: 2, answers: 0, uploads });

test.each(pairs)(
  'a load in $load and an origin in $origin exchange small and large bodies, both ways',
  async (pair) => {
    const url = `http://127.0.0.1:${await startOrigin(children, pair.origin)}`;
    const load = new LoadEnd(children, pair.load);
    for (const groups of [[down(100), up(200_000)], [down(1_000_000)], [down(0)]]) {
      await load.connect({ url, host: 'bench.example', ms: 20, groups });
      const outcome = await load.drive();
      expect(outcome.seconds).toBeGreaterThan(0);
      expect(outcome.groups).toEqual(
        groups.map(() => ({ requests: expect.any(Number), p50: expect.any(Number), p99: expect.any(Number) })),
      );
      for (const { requests } of outcome.groups) expect(requests).toBeGreaterThanOrEqual(2);
    }
  },
);

describe.each(languages)('a load in %s fails, in words, where', (language) => {
  let server: Server;
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  /** The error of the load for a server that answers with these bytes and then ends the connection. */
  async function failure(answer: string, group: LoadGroup): Promise<string> {
    server = createServer();
    server.on('connection', (socket) => {
      socket.removeAllListeners('data').on('data', () => socket.end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connected = new LoadEnd(children, language).connect({ url, host: 'bench.example', ms: 20, groups: [group] });
    return connected.then(
      () => 'nothing',
      (error: Error) => error.message,
    );
  }

  test('a response has fewer bytes than requested', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n';
    expect(await failure(answer, down(100))).toBe('expected an answer of 100 bytes, got 99');
  });

  test('a response is truncated', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf';
    expect(await failure(answer, down(100))).toBe('the connection ended in the middle of an answer');
  });

  test('the response is an error', async () => {
    const answer = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n';
    expect(await failure(answer, down(100))).toContain('HTTP/1.1 503');
  });

  test('an upload has lost a byte', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n19';
    expect(await failure(answer, up(20))).toBe('20 bytes were sent, and the origin says 19');
  });
});
