// express: it reads addresses and `encrypted` of request.socket.

import { randomBytes } from 'node:crypto';
import http from 'node:http';
import express from 'express';
import { ask } from './support/http-client.ts';
import { twins } from './support/twins.ts';

twins(
  'routes, bodies, a file, and what the request says of its connection',
  async (carrier) => {
    const app = express();
    app.use(express.json({ limit: '2mb' }));
    app.get('/connection', (request, response) => {
      response.json({ ip: request.ip, secure: request.secure, protocol: request.protocol, host: request.hostname });
    });
    app.post('/echo', (request, response) => {
      response.json(request.body);
    });
    app.get('/file', (_request, response) => {
      response.sendFile('package.json', { root: '.' });
    });
    await carrier.serve(http.createServer(app));
    const where = { ...carrier.http(), headers: { Host: 'inside.example', 'content-type': 'application/json' } };
    const json = JSON.stringify({ payload: randomBytes(500_000).toString('hex') });
    const file = JSON.parse((await ask({ ...where, path: '/file' })).body) as { name: string };
    return {
      connection: JSON.parse((await ask({ ...where, path: '/connection' })).body) as unknown,
      echo: (await ask({ ...where, path: '/echo' }, json)).body === json,
      file: file.name,
      refused: (await ask({ ...where, path: '/echo' }, '{')).status,
    };
  },
  {
    connection: { ip: '127.0.0.1', secure: false, protocol: 'http', host: 'inside.example' },
    echo: true,
    file: 'compat',
    refused: 400,
  },
);
