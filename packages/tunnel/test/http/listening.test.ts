import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { listening } from '../../src/http/listening.ts';
import { listen } from '../support/http.ts';

it('a server that listens tells of every connection that it cannot take, and none of them ends the process', async () => {
  const server = createServer();
  onTestFinished(() => void server.close());
  const told: string[] = [];
  expect(await listening(server, 0, '127.0.0.1', ({ message }) => told.push(message))).toMatchObject({
    address: '127.0.0.1',
  });
  for (const message of ['accept EMFILE', 'accept ENFILE']) server.emit('error', new Error(message));
  expect(told).toEqual(['accept EMFILE', 'accept ENFILE']);
});

it('a server whose port is taken does not begin to', async () => {
  const taken = await listen(() => {});
  const refused = listening(createServer(), taken, '127.0.0.1', () => {});
  await expect(refused).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
