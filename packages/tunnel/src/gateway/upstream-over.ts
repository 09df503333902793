// Chooses the protocol on a stream to an agent: blocks if the agent supports them, else HTTP/1.1.
import { Http1Connection } from '../http/http1-connection.ts';
import { Http1Upstream } from '../http/http1-upstream.ts';
import type { Upstream, UpstreamListener } from '../http/upstream.ts';
import { BlockUpstream } from './block-upstream.ts';
import type { OpenedTunnel } from './routes.ts';

/** `maxHead`: bytes of an answer's head. */
export function upstreamOver({ stream, to }: OpenedTunnel, listener: UpstreamListener, maxHead: number): Upstream {
  if (to.speaksBlocks) return new BlockUpstream(stream, listener, maxHead);
  const owner = { maxHeaderSize: maxHead, onIdleEnd: () => {} };
  const way = { keepsAlive: false, connect: () => new Http1Connection(stream, owner), keep: () => {} };
  return new Http1Upstream(way, listener);
}
