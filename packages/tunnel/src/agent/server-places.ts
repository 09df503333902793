// A server of this process as the target of all requests. It listens on no port, and gets in-memory connections.
import type { Server } from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { TunnelError } from '../errors.ts';
import type { RequestHead } from '../exchange/block.ts';
import type { Connection, Joined } from '../http/connection.ts';
import { type ConnectionOwner, Http1Connection } from '../http/http1-connection.ts';
import { Http1Upstream, type Http1Way, MAX_ANSWER_HEAD } from '../http/http1-upstream.ts';
import type { Upstream, UpstreamListener } from '../http/upstream.ts';
import type { Log } from '../log.ts';
import type { Places } from './served-stream.ts';

export class ServerPlaces implements Places, Http1Way, ConnectionOwner {
  readonly log: Log;
  readonly joined: Set<Joined> = new Set();
  readonly keepsAlive = false;
  readonly maxHeaderSize: number = MAX_ANSWER_HEAD;
  readonly #server: Server;

  constructor(server: Server, log: Log) {
    this.#server = server;
    this.log = log;
  }

  open(head: RequestHead, listener: UpstreamListener): { readonly upstream: Upstream; readonly head: RequestHead } {
    if (head.method === 'CONNECT') throw new TunnelError('ERR_TUNNEL_NO_TARGET', 'this agent serves HTTP alone');
    return { upstream: new Http1Upstream(this, listener), head };
  }

  connect(): Http1Connection {
    const [near, far] = duplexPair({ allowHalfOpen: true }).map(likeSocket) as [Connection, Connection];
    // Closing without an end is a broken connection.
    near.once('close', () => breakOff(far, near));
    far.once('close', () => breakOff(near, far));
    this.#server.emit('connection', far);
    return new Http1Connection(near, this);
  }

  keep(): void {}
  onIdleEnd(): void {}
  close(): void {}
}

/** With the members of a socket that HTTP asks for. */
function likeSocket(side: Duplex): Connection {
  const same = (): Duplex => side;
  const destroySoon = (): void => {
    if (side.writable) side.end();
    if (side.writableFinished) side.destroy();
    else side.once('finish', () => side.destroy());
  };
  return Object.assign(side, {
    setTimeout: same,
    setNoDelay: same,
    setKeepAlive: same,
    ref: same,
    unref: same,
    destroySoon,
  });
}

function breakOff(side: Connection, gone: Connection): void {
  if (side.destroyed || side.readableEnded || gone.writableFinished) return;
  side.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
}
