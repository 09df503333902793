// Run by a test as a process of its own, with NODE_DEBUG=yamux: two sessions exchange a few frames.

import { once } from 'node:events';
import { sessionPair } from './pairs.ts';

const { a, b } = sessionPair();
const outbound = await a.open();
outbound.end('hello');
const inbound = await b.accept();
inbound.resume().end();
outbound.resume();
await once(outbound, 'close');
a.destroy();
