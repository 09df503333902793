import { Duplex } from 'node:stream';
import type { YamuxStream } from '@zishuo/yamux';
import { expect, it } from 'vitest';
import { ServedStream } from '../../src/agent/served-stream.ts';
import { NO_BODY, type RequestHead, requestBlock } from '../../src/exchange/block.ts';

const head: RequestHead = {
  method: 'GET',
  target: '/',
  body: NO_BODY,
  upgrade: '',
  headers: ['Host', 'app.example'],
};

/** The requests that an agent reads from these chunks, and what it answers without asking a target. */
async function served(chunks: readonly Buffer[]): Promise<{ asked: RequestHead[]; answered: string }> {
  const asked: RequestHead[] = [];
  const answered: Buffer[] = [];
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, callback) => {
      answered.push(chunk);
      callback();
    },
  });
  const upstream = { send: () => {}, abort: () => {} } as never;
  new ServedStream(stream as YamuxStream, {
    open: (request) => {
      asked.push(request);
      return { upstream, head: request };
    },
    log: () => {},
    joined: new Set(),
  });
  for (const chunk of chunks) {
    stream.push(chunk);
    await new Promise(setImmediate);
  }
  return { asked, answered: Buffer.concat(answered).toString('latin1') };
}

it('reads a request however the stream cuts it', async () => {
  const block = requestBlock(head);
  for (let cut = 1; cut < block.length; cut += 1) {
    const { asked, answered } = await served([block.subarray(0, cut), block.subarray(cut)]);
    expect({ cut, asked, answered }).toEqual({ cut, asked: [head], answered: '' });
  }
});

it('tells a gateway that sends HTTP/1.1 that the agent is newer', async () => {
  const { asked, answered } = await served([Buffer.from('GET / HTTP/1.1\r\nHost: app.example\r\n\r\n')]);
  expect(asked).toEqual([]);
  expect(answered).toMatch(/^HTTP\/1\.1 502 .*The agent is newer than its gateway/s);
});
