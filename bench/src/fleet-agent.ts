// An agent that nodes dial: node fleet-agent.js. Prints the port that it listens on.
import { createServer } from 'node:net';
import { client } from '@zishuo/yamux';
import { say } from './fleet/case.ts';
import { listenOnLoopback } from './implementations/loopback.ts';
import { serve } from './serve.ts';

const { port } = await listenOnLoopback(
  createServer({ noDelay: true }, (socket) => {
    client(socket).on('stream', serve);
  }),
);
say({ port });
