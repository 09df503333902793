// One public TCP connection: forwarded to a named target of an agent with CONNECT, so that the agent's allow-list decides. The port in it is the public
// port, for information only.
import type { Socket } from 'node:net';
import { TunnelError, UpstreamError } from '../errors.ts';
import { type AnswerHead, NO_BODY } from '../exchange/block.ts';
import { type Connection, join, reset } from '../http/connection.ts';
import { plainAddress } from '../http/forwarded.ts';
import type { Upstream, UpstreamListener } from '../http/upstream.ts';
import { tcpService } from '../tcp-service.ts';
import type { ExchangeContext } from './exchange-context.ts';
import type { OpenedTunnel, Serving } from './routes.ts';
import { ServedRecord } from './served.ts';
import type { Tenant } from './tenants.ts';
import { upstreamOver } from './upstream-over.ts';

/** Never rejects. A client that cannot be served is reset, because a clean end would look like an empty response. */
export function serveTcpConnection(socket: Socket, name: string, context: ExchangeContext): Promise<void> {
  return new Promise((resolve) => new TcpExchange(socket, name, context, resolve).begin());
}

class TcpExchange implements UpstreamListener {
  readonly #socket: Socket;
  readonly #name: string;
  readonly #service: string;
  readonly #context: ExchangeContext;
  readonly #onDone: () => void;
  readonly #record = new ServedRecord('tcp');
  readonly #tried = new Set<Serving>();
  readonly #address: string;
  readonly #abandoned = new AbortController();
  #tenant: Tenant | undefined;
  #hasPlace = false;
  #tunnel: OpenedTunnel | undefined;
  #upstream: Upstream | undefined;
  #firstFailure: Error | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDone = false;

  constructor(socket: Socket, name: string, context: ExchangeContext, onDone: () => void) {
    this.#socket = socket;
    this.#name = name;
    this.#service = tcpService(name);
    this.#context = context;
    this.#onDone = onDone;
    this.#record.service = this.#service;
    this.#address = plainAddress(socket.remoteAddress ?? 'unknown');
  }

  begin(): void {
    this.#socket.on('error', () => {}); // 'close' follows
    this.#socket.once('close', this.#onClientGone);
    const refusal = this.#takePlace();
    if (refusal === undefined) void this.#open();
    else this.#refuse(refusal);
  }

  #takePlace(): TunnelError | undefined {
    const { requestsOf, routes } = this.#context;
    if (!requestsOf.take(this.#address))
      return new TunnelError('ERR_TUNNEL_LIMIT', `${this.#address} has too many connections`);
    this.#hasPlace = true;
    const tenant = routes.tenantOf(this.#service);
    if (tenant?.takeRequest() === false)
      return new TunnelError('ERR_TUNNEL_TENANT_LIMIT', `tenant ${tenant.name} has too many connections`);
    this.#tenant = tenant;
    return undefined;
  }

  readonly #onClientGone = (): void => {
    this.#upstream?.abort();
    this.#done('abandoned', undefined);
  };

  async #open(): Promise<void> {
    const { opener, affinity, openTimeout } = this.#context;
    try {
      const tunnel = await opener.open(this.#service, affinity.wishOf(this.#address), {
        deadline: this.#record.startedAt + openTimeout,
        acknowledged: true,
        tried: this.#tried,
        signal: () => this.#abandoned.signal,
      });
      if (this.#isDone) tunnel.stream.destroy();
      else this.#send(tunnel);
    } catch (error) {
      this.#refuse(this.#firstFailure ?? error);
    }
  }

  #send(tunnel: OpenedTunnel): void {
    const { maxAnswerHeaderSize, openTimeout } = this.#context;
    this.#tunnel = tunnel;
    this.#tried.add(tunnel.to);
    this.#record.opened(tunnel.stream, tunnel.to);
    const upstream = upstreamOver(tunnel, this, maxAnswerHeaderSize);
    this.#upstream = upstream;
    this.#timer = setTimeout(() => {
      upstream.abort();
      this.#refuse(new TunnelError('ERR_TUNNEL_IDLE_TIMEOUT', `the target did not answer for ${openTimeout} ms`));
    }, openTimeout);
    const headers = ['Host', this.#name, 'X-Forwarded-For', this.#address, 'X-Request-Id', this.#record.requestId];
    const target = `${this.#name}:${this.#socket.localPort ?? 0}`;
    upstream.send({ method: 'CONNECT', target, body: NO_BODY, upgrade: '', headers });
  }

  switched(_head: Omit<AnswerHead, 'body'>, connection: Connection, early: Buffer): void {
    clearTimeout(this.#timer);
    this.#upstream = undefined;
    const session = this.#tunnel?.to;
    if (session !== undefined) this.#context.routes.served(session, this.#service);
    this.#socket.off('close', this.#onClientGone); // join() handles the end
    if (early.length > 0) this.#socket.write(early);
    void join(this.#socket, connection, this.#context.joinedIdleTimeout).ended.then((ending) => {
      this.#done(ending.kind, ending.kind === 'cut' ? ending.error : undefined);
    });
  }

  failed(error: Error): void {
    clearTimeout(this.#timer);
    this.#upstream = undefined;
    const session = this.#tunnel?.to;
    const isUnsent = error instanceof UpstreamError && error.isUnsent;
    if (!isUnsent || session === undefined) {
      this.#refuse(error);
      return;
    }
    this.#context.routes.refused(session, this.#service);
    this.#firstFailure = new TunnelError('ERR_TUNNEL_CONNECT_REFUSED', `the agent answered ${error.code}`);
    void this.#open();
  }

  /** A CONNECT has no other answer than the connection. */
  answer(): void {
    this.#upstream?.abort();
    this.#refuse(new TunnelError('ERR_TUNNEL_CONNECT_REFUSED', 'the agent answered, and did not connect'));
  }

  taken(): void {}
  interim(): void {}
  data(): void {}
  end(): void {}
  drain(): void {}

  #refuse(error: unknown): void {
    if (this.#isDone) return;
    this.#socket.off('close', this.#onClientGone);
    reset(this.#socket);
    this.#done('refused', error);
  }

  #done(outcome: 'complete' | 'refused' | 'abandoned' | 'cut', error: unknown): void {
    if (this.#isDone) return;
    this.#isDone = true;
    clearTimeout(this.#timer);
    if (this.#hasPlace) this.#context.requestsOf.give(this.#address);
    this.#tenant?.giveRequest();
    this.#abandoned.abort();
    this.#record.end(outcome, undefined, error, this.#context.log, this.#context.onServed);
    this.#onDone();
  }
}
