// Programs with a small heap, large bodies and clients that take none of them: back-pressure holds, or they would end.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { expect, it } from 'vitest';
import { bodyDigest, bodyStream, digestOf } from '../../src/demo/body.ts';
import { askForHead, listen } from '../support/http.ts';
import { measure } from '../support/programs.ts';
import { startAgent, startLoggedGateway } from './scene.ts';

const MIB = 1024 * 1024;
const CLIENTS = 12;
const LARGE = 16 * MIB;

it('a gateway and an agent with a heap of 64 MiB carry large bodies beside many that nobody takes', async () => {
  const node = ['--max-old-space-size=64'];
  const scene = await startLoggedGateway([], { node });
  const origin = await listen((request, response) => {
    if (request.method === 'GET') void bodyStream(1, LARGE).pipe(response);
    else if (request.url === '/deaf') request.pause();
    else request.pipe(response);
  });
  const agent = await startAgent([scene], origin, 'alpha', { node });
  const { port } = scene.gateway;
  const slow: IncomingMessage[] = [];
  for (let count = 0; count < CLIENTS; count += 1) {
    const response = await askForHead({ port });
    await once(response, 'readable'); // and no more of it
    slow.push(response);
    const upload = bodyStream(count, LARGE);
    askForHead({ port, method: 'POST', path: '/deaf', body: upload }).catch(() => {});
  }
  const through = await askForHead({ port, method: 'POST', body: bodyStream(2, LARGE) });
  expect(await digestOf(through)).toEqual({ bytes: LARGE, sha256: bodyDigest(2, LARGE) });
  for (const child of [scene.gateway.child, agent]) expect(await measure(child)).toBeLessThan(300 * MIB);
  expect(await digestOf(slow[0] as IncomingMessage)).toEqual({ bytes: LARGE, sha256: bodyDigest(1, LARGE) });
  for (const response of slow) response.destroy();
});
