// got, with an agent: it times the phases of a request by the events of its socket, and retries.

import { once } from 'node:events';
import http from 'node:http';
import got, { type ExtendOptions, type Got } from 'got';
import { onTestFinished } from 'vitest';
import type { Carrier } from './support/carrier.ts';
import { turns, twins } from './support/twins.ts';

function client(carrier: Carrier, options: ExtendOptions = {}): Got {
  const { host, port, agent } = carrier.http({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  return got.extend({ prefixUrl: `http://${host}:${port}`, agent: { http: agent }, retry: { limit: 0 }, ...options });
}

const codeOf = (error: { code?: string }): string | undefined => error.code;

twins(
  'JSON there and back, and a timing for each phase after the connect',
  async (carrier) => {
    await carrier.serve(http.createServer((request, response) => request.pipe(response)));
    const response = await client(carrier).post<{ hello: string }>('', {
      json: { hello: 'you' },
      responseType: 'json',
    });
    const { firstByte, download, total } = response.timings.phases;
    return { body: response.body, timed: [firstByte, download, total].every((phase) => phase !== undefined) };
  },
  { body: { hello: 'you' }, timed: true },
);

twins(
  'a truncated request is retried, if got has the code of a reset in its list',
  async (carrier) => {
    let tries = 0;
    const web = http.createServer((request, response) => {
      tries += 1;
      if (tries < 3) request.socket.destroy();
      else response.end('answer');
    });
    await carrier.serve(web);
    const errorCodes = ['ECONNRESET', 'ERR_YAMUX_STREAM_RESET'];
    const patient = client(carrier, {
      retry: { limit: 3, errorCodes, calculateDelay: ({ computedValue }) => computedValue && 1 },
    });
    return { answer: await patient('').text(), tries };
  },
  { answer: 'answer', tries: 3 },
);

twins(
  'timeouts of the response, and of the whole request',
  async (carrier) => {
    await carrier.serve(http.createServer(() => {}));
    const silent = client(carrier);
    return [
      await silent('', { timeout: { response: 20 } })
        .text()
        .catch(codeOf),
      await silent('', { timeout: { request: 20 } })
        .text()
        .catch(codeOf),
      await silent('', { timeout: { socket: 20 } })
        .text()
        .catch(codeOf),
    ];
  },
  ['ETIMEDOUT', 'ETIMEDOUT', 'ETIMEDOUT'],
);

twins(
  'the connect timeout ends when the connection is made',
  async (carrier) => {
    const web = http.createServer();
    await carrier.serve(web);
    const answer = client(carrier)('', { timeout: { connect: 100, lookup: 100 } }).text();
    const [, response] = (await once(web, 'request')) as [unknown, http.ServerResponse];
    await turns();
    response.end('late');
    return answer;
  },
  'late',
);

twins(
  'an abort ends the request at both sides',
  async (carrier) => {
    const web = http.createServer();
    await carrier.serve(web);
    const controller = new AbortController();
    const answer = client(carrier)('', { signal: controller.signal })
      .text()
      .catch((error: Error) => error.name);
    const [, response] = (await once(web, 'request')) as [unknown, http.ServerResponse];
    controller.abort();
    await once(response, 'close');
    return answer;
  },
  'AbortError',
);
