// The process that simulates a link: node relay.js contender case port. It forwards each connection to that port, and delays the bytes
// by the delay of the case's link, no faster than its bandwidth, in each direction.

import { createServer } from 'node:net';
import { carry } from './carry.ts';
import { begin, tell } from './child.ts';
import { dialLoopback, listenOnLoopback } from './implementations/loopback.ts';

const { benchCase, port: target } = begin();
const { link } = benchCase;
if (link === undefined) throw new Error(`Expected a case with a link, got ${benchCase.name}`);

const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (near) => {
  void dialLoopback(target, true).then((far) => {
    carry(near, far, link);
    carry(far, near, link);
  });
});
tell({ port: (await listenOnLoopback(server)).port });
