// Processes that are stopped and go on, as on a machine that sleeps or has no processor to give; and one that is killed.
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { ask, askForHead, listen } from '../support/http.ts';
import { startAgent, startLoggedGateway } from './scene.ts';

const named =
  (name: string): RequestListener =>
  (_request, response) =>
    response.end(name);

const SHORT = ['--attempt-timeout', '300', '--open-timeout', '1000'];

describe.skipIf(process.platform === 'win32')('an agent that is stopped', () => {
  it('costs no request while there is another one, and gets its share again when it goes on', async () => {
    const scene = await startLoggedGateway(SHORT);
    const alpha = await startAgent([scene], await listen(named('alpha')), 'alpha');
    await startAgent([scene], await listen(named('bravo')), 'bravo');
    alpha.kill('SIGSTOP');
    for (let count = 0; count < 6; count += 1) {
      const method = count % 2 === 0 ? 'GET' : 'POST';
      expect(await scene.gateway.ask({ method })).toMatchObject({ status: 200, body: 'bravo' });
    }
    alpha.kill('SIGCONT');
    // It is asked again once it has answered a ping.
    while ((await scene.gateway.ask()).body !== 'alpha');
    expect(scene.logged.of('agent gone')).toEqual([]);
  });

  it('and is alone costs each request a 504 in time, and serves again when it goes on', async () => {
    const scene = await startLoggedGateway(SHORT);
    const alpha = await startAgent([scene], await listen(named('alpha')), 'alpha');
    alpha.kill('SIGSTOP');
    for (let count = 0; count < 2; count += 1) expect((await scene.gateway.ask()).status).toBe(504);
    alpha.kill('SIGCONT');
    expect(await scene.gateway.ask()).toMatchObject({ status: 200, body: 'alpha' });
    expect(scene.logged.of('agent gone')).toEqual([]);
  });
});

describe.skipIf(process.platform === 'win32')('a gateway that is stopped', () => {
  it('is no matter of the other gateways of its agents, and answers what has come meanwhile when it goes on', async () => {
    const [stopped, other] = await Promise.all([startLoggedGateway(), startLoggedGateway()]);
    await startAgent([stopped, other], await listen(named('alpha')), 'alpha');
    stopped.gateway.child.kill('SIGSTOP');
    const answered = stopped.gateway.ask();
    expect((await other.gateway.ask()).body).toBe('alpha');
    stopped.gateway.child.kill('SIGCONT');
    expect((await answered).body).toBe('alpha');
    expect(stopped.logged.of('agent gone')).toEqual([]);
  });
});

describe('an agent that is killed', () => {
  it('in the middle of an answer and of a body costs these two, neither of which looks whole, and nothing else', async () => {
    const scene = await startLoggedGateway();
    let heard: Promise<string> | undefined;
    const origin = await listen((request, response) => {
      if (request.method === 'POST') heard = text(request).catch((error: NodeJS.ErrnoException) => String(error.code));
      else if (request.url === '/half') response.writeHead(200, { 'Content-Length': 1_000_000 }).write('half');
      else response.end('served');
    });
    const alpha = await startAgent([scene], origin, 'alpha');
    const half = await askForHead({ port: scene.gateway.port, path: '/half' });
    const body = new PassThrough();
    const posted = ask({ port: scene.gateway.port, method: 'POST', body });
    body.write('x'.repeat(100_000));
    await once(half, 'data');
    while (heard === undefined) await scene.gateway.ask();
    alpha.kill('SIGKILL');
    await expect(text(half)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await heard).toBe('ECONNRESET');
    expect((await posted).status).toBe(502);
    await scene.logged.next('agent gone');
    expect((await scene.gateway.ask()).status).toBe(503);
    await startAgent([scene], origin, 'alpha');
    expect((await scene.gateway.ask()).body).toBe('served');
  });
});
