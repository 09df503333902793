// Finds the local target of a request, and applies the changes for it (host, prefix).
import { connect } from 'node:net';
import { TunnelError, UpstreamError } from '../errors.ts';
import type { RawHeaders, RequestHead } from '../exchange/block.ts';
import type { Joined } from '../http/connection.ts';
import { hostName } from '../http/host.ts';
import { Http1Upstream } from '../http/http1-upstream.ts';
import { requestAddress } from '../http/request-address.ts';
import { watchEnd } from '../http/socket-end.ts';
import type { Upstream, UpstreamListener } from '../http/upstream.ts';
import type { Log } from '../log.ts';
import { OriginConnections } from './origin-connections.ts';
import type { Places } from './served-stream.ts';
import type { HttpTarget, Targets, TcpTarget } from './targets.ts';

export class LocalPlaces implements Places {
  readonly log: Log;
  readonly joined: Set<Joined> = new Set();
  readonly #targets: Targets;
  readonly #connections: ReadonlyMap<HttpTarget, OriginConnections>;

  constructor(targets: Targets, log: Log) {
    this.log = log;
    this.#targets = targets;
    this.#connections = new Map(targets.http.map((target) => [target, new OriginConnections(target)]));
  }

  open(head: RequestHead, listener: UpstreamListener): { readonly upstream: Upstream; readonly head: RequestHead } {
    if (head.method === 'CONNECT') {
      const name = hostName(head.target); // name:port; the port is the public one, for information only
      const target = this.#targets.findTcp(name);
      if (target === undefined) throw noTarget(`tcp:${name}`);
      return { upstream: new TcpUpstream(target, listener), head };
    }
    // Checked again, although the gateway has checked it: the agent does not trust the gateway to choose local targets.
    const { host, path, target: url } = requestAddress(head.method, head.target, head.headers);
    const target = this.#targets.find(host, path);
    const connections = target && this.#connections.get(target);
    if (target === undefined || connections === undefined) throw noTarget(`${host}${path}`);
    return { upstream: new Http1Upstream(connections, listener), head: headFor(target, head, url) };
  }

  close(): void {
    for (const connections of this.#connections.values()) connections.close();
  }
}

function noTarget(what: string): TunnelError {
  return new TunnelError('ERR_TUNNEL_NO_TARGET', `no target for ${what}`);
}

function headFor({ rewriteHost, strippedPrefix }: HttpTarget, head: RequestHead, url: string): RequestHead {
  const target = strippedPrefix !== '' && url.startsWith(strippedPrefix) ? withoutPrefix(url, strippedPrefix) : url;
  const headers = rewriteHost === undefined ? head.headers : withHost(head.headers, rewriteHost);
  return { ...head, target, headers };
}

function withoutPrefix(url: string, prefix: string): string {
  const rest = url.slice(prefix.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function withHost(headers: RawHeaders, host: string): RawHeaders {
  return headers.map((text, index) => (index % 2 === 1 && headers[index - 1]?.toLowerCase() === 'host' ? host : text));
}

/** Raw TCP: a connection, and no more. */
class TcpUpstream implements Upstream {
  readonly #target: TcpTarget;
  readonly #listener: UpstreamListener;
  #abort: (() => void) | undefined;

  constructor(target: TcpTarget, listener: UpstreamListener) {
    this.#target = target;
    this.#listener = listener;
  }

  send(): void {
    const { host, port } = this.#target;
    // Half-open: the target may answer after the client has ended its side.
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    watchEnd(socket);
    const onError = (error: NodeJS.ErrnoException): void => {
      this.#listener.failed(new UpstreamError(error.code ?? 'ERR_TUNNEL_TARGET_FAILED', error.message, true));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      this.#abort = undefined;
      this.#listener.switched({ status: 200, reason: '', headers: [] }, socket, Buffer.alloc(0));
    });
    this.#abort = () => {
      socket.off('error', onError).on('error', () => {});
      socket.destroy();
    };
  }

  abort(): void {
    this.#abort?.();
  }

  /** Nothing of these comes before the connection is joined. */
  write(): boolean {
    return true;
  }

  endBody(): void {}
  halfClose(): void {}
  pause(): void {}
  resume(): void {}
  finish(): void {}
}
