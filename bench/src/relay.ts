// The process that plays a link: node relay.js contender case port. Each connection to it becomes one to that port, and what goes through
// is late by the delay of the case's link and no faster than its bandwidth, in each direction.

import { createServer, type Socket } from 'node:net';
import type { LinkShape } from './case.ts';
import { begin, tell } from './child.ts';
import { dialLoopback, listenOnLoopback } from './implementations/loopback.ts';
import { Link } from './link.ts';

/** So often it looks what has come out: a timer of Node is no finer. */
const TICK_MS = 1;
/** Bytes that the end of the link may not have taken, before the link takes no more. */
const MAX_UNTAKEN = 8 * 1_048_576;

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

function carry(from: Socket, to: Socket, shape: LinkShape): void {
  const link = new Link(shape);
  /** In the order of time. */
  const underWay: { readonly chunk: Buffer; readonly at: number }[] = [];
  let ended = false;
  const isFull = (now: number): boolean => link.waitMs(now) > 0 || to.writableLength > MAX_UNTAKEN;
  from.on('data', (chunk) => {
    const now = performance.now();
    underWay.push({ chunk, at: link.send(now, chunk.length) });
    if (isFull(now)) from.pause();
  });
  from.on('end', () => {
    ended = true;
  });
  const timer = setInterval(() => {
    const now = performance.now();
    const ahead = underWay.findIndex(({ at }) => at > now);
    for (const { chunk } of underWay.splice(0, ahead === -1 ? underWay.length : ahead)) to.write(chunk);
    if (!isFull(now)) from.resume();
    if (!ended || underWay.length > 0) return;
    clearInterval(timer);
    to.end();
  }, TICK_MS);
  for (const socket of [from, to]) {
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      clearInterval(timer);
      if (socket.errored !== null) from.destroy();
      if (socket.errored !== null) to.destroy();
    });
  }
}
