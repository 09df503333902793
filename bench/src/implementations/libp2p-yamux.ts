// js-libp2p's Yamux, loaded only in its own processes: libp2p puts so much on the heap that every collection takes longer, and a bare
// net.Socket in the same process carries a third less.

import type { Ends, Implementation } from '../implementation.ts';
import { versionOf } from './version.ts';

async function load(): Promise<Ends> {
  const { ends } = await import('./libp2p/ends.ts');
  return ends;
}

export const libp2pYamux: Implementation = {
  name: '@chainsafe/libp2p-yamux',
  version: versionOf('@chainsafe/libp2p-yamux'),
  note: 'one muxer over one net.Socket in the shape that @libp2p/tcp gives it, default options but for the limits of streams (1,000); the newest version, with Promise.withResolvers where Node has none',
  listen: async (serve) => (await load()).listen(serve),
  connect: async (port) => (await load()).connect(port),
};
