// fastify: its server answers invalid requests by itself.

import { randomBytes } from 'node:crypto';
import { fastify } from 'fastify';
import { onTestFinished } from 'vitest';
import { ask, hears } from './support/http-client.ts';
import { twins } from './support/twins.ts';

twins(
  'routes, a schema that refuses, a body of 1 MB, and an error of a handler',
  async (carrier) => {
    const app = fastify({ bodyLimit: 2_000_000 });
    onTestFinished(() => app.close());
    app.get('/hello/:name', (request) => ({ hello: (request.params as { name: string }).name }));
    app.get('/throws', () => {
      throw new Error('of the handler');
    });
    const schema = { body: { type: 'object', required: ['size'], properties: { size: { type: 'number' } } } };
    app.post('/checked', { schema }, () => 'taken');
    app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
      done(null, body),
    );
    app.post('/echo', (request, reply) => reply.send(request.body));
    await app.ready();
    await carrier.serve(app.server);
    const where = carrier.http();
    const json = { 'content-type': 'application/json' };
    const payload = randomBytes(1_000_000).toString('base64');
    const octets = { 'content-type': 'application/octet-stream' };
    return {
      hello: (await ask({ ...where, path: '/hello/you' })).body,
      refused: (await ask({ ...where, path: '/checked', headers: json }, '{"size":"much"}')).status,
      taken: (await ask({ ...where, path: '/checked', headers: json }, '{"size":1}')).body,
      echo: (await ask({ ...where, path: '/echo', headers: octets }, payload)).body === payload,
      failed: (await ask({ ...where, path: '/throws' })).status,
      missing: (await ask({ ...where, path: '/nowhere' })).status,
    };
  },
  { hello: '{"hello":"you"}', refused: 400, taken: 'taken', echo: true, failed: 500, missing: 404 },
);

twins(
  'a request that is not HTTP gets a response before the connection ends',
  async (carrier) => {
    const app = fastify();
    onTestFinished(() => app.close());
    await app.ready();
    await carrier.serve(app.server);
    const socket = await carrier.dial();
    socket.write('this is no HTTP\r\n\r\n');
    const { text } = await hears(socket.once('end', () => socket.end()));
    return text.slice(0, 'HTTP/1.1 400'.length);
  },
  'HTTP/1.1 400',
);
