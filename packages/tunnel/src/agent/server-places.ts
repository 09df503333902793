// A server of this very process as the target of all requests: it listens on no port, and is given connections that are none.
import { type ClientRequest, request as httpRequest, type RequestOptions, type Server } from 'node:http';
import { Duplex } from 'node:stream';
import { TunnelError } from '../errors.ts';
import type { RequestHead } from '../exchange/block.ts';
import type { Joined } from '../http/connection.ts';
import { Http1Upstream, type Http1Way } from '../http/http1-upstream.ts';
import type { Upstream, UpstreamListener } from '../http/upstream.ts';
import type { Log } from '../log.ts';
import type { Places } from './served-stream.ts';

/** Bytes of an answer's head. What the gateway takes may be less. */
const MAX_ANSWER_HEAD = 512 * 1024;

export class ServerPlaces implements Places, Http1Way {
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

  request(options: RequestOptions): ClientRequest {
    const { near, far } = PairedSocket.pair();
    this.#server.emit('connection', far);
    return httpRequest({ ...options, createConnection: () => near });
  }

  close(): void {}
}

/** One end of a connection within the process, with the members of a socket that HTTP asks for. */
class PairedSocket extends Duplex {
  #other: PairedSocket | undefined;
  #taken: (() => void) | undefined;

  static pair(): { readonly near: PairedSocket; readonly far: PairedSocket } {
    const [near, far] = [new PairedSocket({ allowHalfOpen: true }), new PairedSocket({ allowHalfOpen: true })];
    near.#other = far;
    far.#other = near;
    return { near, far };
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const other = this.#other;
    if (other === undefined || other.destroyed) callback();
    else if (other.push(chunk)) process.nextTick(callback);
    else other.#taken = callback;
  }

  override _final(callback: () => void): void {
    this.#other?.push(null);
    callback();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    const other = this.#other;
    this.#other = undefined;
    this.#taken = undefined;
    // Whoever has not ended its side breaks the connection off.
    if (other !== undefined && !other.destroyed) process.nextTick(() => other.#lose(!this.writableFinished));
    callback(error);
  }

  #lose(isCut: boolean): void {
    this.#taken?.();
    if (this.destroyed) return;
    if (isCut && !this.readableEnded) this.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }
}
