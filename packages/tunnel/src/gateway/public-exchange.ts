// One public request, from its head to the end of its response: finds a session for its route, forwards the request, tries another session if that is
// safe, and otherwise answers with the error. An exception ends this request only.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, TunnelError, UpstreamError } from '../errors.ts';
import type { AnswerHead, RawHeaders, RequestHead } from '../exchange/block.ts';
import { type Connection, type Joined, join } from '../http/connection.ts';
import { clientAddress, forwardedHeaders, isClaim } from '../http/forwarded.ts';
import { endToEnd, isIdempotent, statusLines, switchingHeaders, takesTrailers } from '../http/headers.ts';
import { detach, type UpgradeRequest } from '../http/upgrade-response.ts';
import type { Upstream, UpstreamListener } from '../http/upstream.ts';
import type { Wish } from './affinity.ts';
import { type Arrival, arrivalOf } from './arrival.ts';
import { ClientAnswer } from './client-answer.ts';
import type { ExchangeContext } from './exchange-context.ts';
import { ExchangePace } from './exchange-pace.ts';
import { agentIsGone, answerFor } from './failures.ts';
import { RequestBody } from './request-body.ts';
import type { OpenedTunnel, Serving } from './routes.ts';
import { ServedRecord } from './served.ts';
import type { Tenant } from './tenants.ts';
import { upstreamOver } from './upstream-over.ts';
import { viaFor } from './via.ts';

/** The limit of repetitions of a request after its agent was lost. A request that was never sent does not count. */
const MAX_REPEATS = 1;

export class PublicExchange implements UpstreamListener {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #context: ExchangeContext;
  readonly #upgrade: UpgradeRequest | undefined;
  readonly #record: ServedRecord;
  readonly #answer: ClientAnswer;
  readonly #onDone: (exchange: PublicExchange) => void;
  readonly #tried = new Set<Serving>();
  readonly #pace: ExchangePace;
  #address: string | undefined;
  #tenant: Tenant | undefined;
  #abandoned: AbortController | undefined;
  #wish: Wish = { key: undefined, agent: undefined };
  #head!: RequestHead;
  #body: RequestBody | undefined;
  #upstream: Upstream | undefined;
  #tunnel: OpenedTunnel | undefined;
  #sentAt = 0;
  #repeats = 0;
  /** Why it was sent once more. */
  #firstFailure: Error | undefined;
  /** The gateway's own response. */
  #failure: { readonly status: number; readonly error: unknown } | undefined;
  #isClientEnded = false;
  #isDone = false;
  /** Once the client and the origin speak another protocol with each other. */
  joined: Joined | undefined;

  /** `onDone` is called once, when nothing of it runs any more. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    context: ExchangeContext,
    onDone: (exchange: PublicExchange) => void,
    upgrade?: UpgradeRequest,
  ) {
    this.request = request;
    this.response = response;
    this.#context = context;
    this.#onDone = onDone;
    this.#upgrade = upgrade;
    this.#record = new ServedRecord(upgrade === undefined ? 'http' : 'upgrade');
    this.#answer = new ClientAnswer(request, response);
    this.#pace = new ExchangePace(context, this.#record.startedAt);
  }

  begin(): void {
    this.response.on('finish', this.#onFinish).on('drain', this.#onDrain);
    this.response.on('error', () => {}); // a write after the connection was lost; 'close' handles it
    this.request.on('error', () => {});
    try {
      const arrival = arrivalOf(this.request, this.#context);
      if (arrival instanceof Promise) arrival.then((later) => this.#start(later)).catch((error) => this.#refuse(error));
      else this.#start(arrival);
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** @throws TunnelError for a request that is not served. */
  #start({ service, address }: Arrival): void {
    if (this.#isDone) return;
    const { request } = this;
    const { routes, requestsOf, trustedHops } = this.#context;
    const { rawHeaders, method = '' } = request;
    this.#record.service = service;
    if (service === undefined) {
      throw new TunnelError('ERR_TUNNEL_UNKNOWN_ROUTE', `no agent serves ${address.host}${address.path}`);
    }
    const via = viaFor(request, `${this.#context.id}.${routes.numberOf(service)}`);
    const client = clientAddress(request, trustedHops);
    if (!requestsOf.take(client))
      throw new TunnelError('ERR_TUNNEL_LIMIT', `${client} has too many requests at a time`);
    this.#address = client;
    const tenant = routes.tenantOf(service);
    if (tenant?.takeRequest() === false)
      throw new TunnelError('ERR_TUNNEL_TENANT_LIMIT', `tenant ${tenant.name} has too many requests at a time`);
    this.#tenant = tenant;
    const isTrusted = trustedHops > 0;
    const body = new RequestBody(request, (name) => isClaim(name, isTrusted));
    this.#body = body;
    this.#wish = this.#context.affinity.wish(request, client);
    const headers = endToEnd(rawHeaders, (name) => name === 'via' || isClaim(name, isTrusted));
    headers.push('Via', via, ...forwardedHeaders(request, request.headers.host ?? '', trustedHops));
    headers.push('X-Request-Id', this.#record.requestId);
    if (takesTrailers(request)) headers.push('TE', 'trailers');
    const upgrade = this.#upgrade === undefined ? '' : (request.headers.upgrade ?? '');
    this.#head = { method, target: address.target, body: body.length, upgrade, headers };
    void this.#open();
  }

  async #open(): Promise<void> {
    const { opener, openTimeout } = this.#context;
    try {
      const tunnel = await opener.open(this.#record.service ?? '', this.#wish, {
        deadline: performance.now() + openTimeout,
        // A request that can be sent only once (or only once more) first waits a round trip for the agent's acknowledgement of the stream,
        // while other sessions can still be tried.
        acknowledged: this.#repeats > 0 || !this.#mayRepeat || this.#body?.staysRepeatable !== true,
        tried: this.#tried,
        signal: () => {
          this.#abandoned ??= new AbortController();
          return this.#abandoned.signal;
        },
      });
      if (this.#isDone) tunnel.stream.destroy();
      else this.#send(tunnel);
    } catch (error) {
      // The error of an earlier attempt says more than that no further session is left.
      if (!this.#isDone) this.#refuse(this.#firstFailure ?? error);
    }
  }

  get #mayRepeat(): boolean {
    return this.#upgrade === undefined && isIdempotent(this.request.method ?? '');
  }

  #send(tunnel: OpenedTunnel): void {
    this.#tunnel = tunnel;
    this.#tried.add(tunnel.to);
    this.#record.opened(tunnel.stream, tunnel.to);
    this.#sentAt = performance.now();
    this.#pace.moved(this.#sentAt);
    const upstream = upstreamOver(tunnel, this, this.#context.maxAnswerHeaderSize);
    this.#upstream = upstream;
    try {
      upstream.send(this.#head);
    } catch (error) {
      tunnel.stream.destroy(); // the head cannot be sent, and the stream would stay open for ever
      throw error;
    }
    this.#body?.sendTo(upstream, !tunnel.to.speaksBlocks);
    if (this.#isClientEnded) this.clientEnded();
  }

  taken(): void {
    this.#body?.taken(this.#mayRepeat);
  }

  interim(status: number, reason: string, headers: RawHeaders): void {
    this.#pace.moved(performance.now());
    this.#guard(() => this.#answer.interim(status, reason, headers));
  }

  answer(head: AnswerHead): void {
    this.#pace.moved(performance.now());
    this.#context.routes.served(this.#session, this.#record.service ?? '');
    this.#body?.taken(false); // from here on no other session is tried
    this.#guard(() => this.#answer.begin(head, this.#added(head.headers)));
  }

  data(chunk: Buffer): void {
    this.#pace.moved(performance.now());
    if (!this.#answer.write(chunk)) this.#upstream?.pause();
  }

  end(trailers: RawHeaders): void {
    this.#body?.drop(); // the response came before the whole body; the rest has no reader
    this.#guard(() => this.#answer.end(trailers));
    this.#upstream?.finish();
  }

  switched(head: Omit<AnswerHead, 'body'>, connection: Connection, early: Buffer): void {
    const upgrade = this.#upgrade as UpgradeRequest;
    const { socket } = upgrade;
    this.#upstream = undefined;
    this.response.off('finish', this.#onFinish);
    let lines: Buffer;
    try {
      lines = statusLines(101, head.reason, switchingHeaders(head.headers, this.#added(head.headers)));
    } catch (error) {
      connection.destroy();
      this.#refuse(error);
      return;
    }
    detach(this.response, upgrade);
    // Either side may have sent bytes in the same packet as its head.
    socket.write(early.length === 0 ? lines : Buffer.concat([lines, early]));
    if (upgrade.head.length > 0) connection.write(upgrade.head);
    const isWebSocket = this.#head.upgrade.toLowerCase() === 'websocket';
    const joined = join(socket, connection, this.#context.joinedIdleTimeout, isWebSocket);
    this.joined = joined;
    void joined.ended.then((ending) => {
      this.#done(ending.kind, 101, ending.kind === 'cut' ? ending.error : undefined);
    });
  }

  failed(error: Error): void {
    this.#upstream = undefined;
    if (this.#answer.isBegun) {
      this.#cut(error);
      return;
    }
    const { routes } = this.#context;
    const isUnsent = error instanceof UpstreamError && error.isUnsent;
    if (isUnsent) routes.refused(this.#session, this.#record.service ?? '');
    const isLost = agentIsGone(error) && this.#mayRepeat && this.#repeats < MAX_REPEATS;
    if (isLost) this.#repeats += 1;
    if ((isUnsent || isLost) && this.#body?.isRepeatable === true) this.#again(error);
    else this.#refuse(error);
  }

  #again(error: Error): void {
    this.#body?.stop();
    this.#firstFailure = error;
    const { requestId, agent } = this.#record;
    this.#context.log('request tried again', { requestId, agent, error: describe(error) });
    const { stream } = this.#tunnel as OpenedTunnel;
    // The pool learns with 'close' why the stream failed, and then chooses better.
    if (!stream.destroyed || stream.closed) void this.#open();
    else stream.once('close', () => this.#isDone || void this.#open());
  }

  /** The agent has not acknowledged the request in time. A repeatable request goes to another agent; without another one, the link may only be slow. */
  #agentIsSilent(now: number): void {
    const { openTimeout, opener } = this.#context;
    const isInTime = now - this.#record.startedAt < openTimeout;
    const goesOn = this.#mayRepeat && opener.hasAnother(this.#record.service ?? '', this.#tried);
    if (isInTime && !goesOn) return;
    const message = `the agent did not take the request within ${Math.round(now - this.#sentAt)} ms`;
    const error = opener.silent(this.#tunnel as OpenedTunnel, message);
    this.#upstream?.abort();
    this.#upstream = undefined;
    if (isInTime) this.#again(error);
    else this.#refuse(error);
  }

  drain(): void {
    this.#pace.moved(performance.now());
    this.#body?.resume();
  }

  /** The client has ended its side of the connection, behind this request. */
  clientEnded(): void {
    this.#isClientEnded = true;
    // After an upgrade, bytes follow the head. join() handles the end.
    if (this.#body?.isWhole === true && this.#upgrade === undefined) this.#upstream?.halfClose();
  }

  /** The connection of the client is gone. */
  clientLeft(): void {
    if (this.joined !== undefined) return; // join() handles it
    this.#done('abandoned', this.#status, undefined);
  }

  /** Ends it now, as at the deadline of a gateway that closes. */
  abort(error: Error): void {
    if (this.#isDone || this.joined !== undefined) return;
    if (this.#answer.isBegun) this.#cut(error);
    else this.#refuse(error);
  }

  /** Looks whether it has taken too long, at `now` of performance.now(). */
  check(now: number): void {
    if (this.#isDone || this.joined !== undefined || this.#upstream === undefined) {
      if (this.response.writableEnded) this.#checkPace(undefined, now);
      return;
    }
    const { stream } = this.#tunnel as OpenedTunnel;
    const { attemptTimeout, openTimeout } = this.#context;
    const isLate = now - this.#sentAt >= attemptTimeout || now - this.#record.startedAt >= openTimeout;
    if (!stream.acknowledged && isLate && this.#body?.isRepeatable === true) {
      this.#agentIsSilent(now);
      return;
    }
    this.#checkPace(this.#body, now);
  }

  #checkPace(body: RequestBody | undefined, now: number): void {
    const late = this.#pace.check(body, this.#answer, now);
    if (late !== undefined) this.#tooSlow(late);
  }

  #tooSlow(error: TunnelError): void {
    this.#upstream?.abort();
    this.#upstream = undefined;
    if (this.response.headersSent) this.#cut(error);
    else this.#refuse(error);
  }

  get #session(): Serving {
    return (this.#tunnel as OpenedTunnel).to;
  }

  get #status(): number | undefined {
    return this.response.headersSent ? this.response.statusCode : undefined;
  }

  #added(headers: RawHeaders): RawHeaders {
    const { agent } = this.#session.claims;
    const bound = this.#context.affinity.answered(this.#wish, agent, headers);
    return ['X-Request-Id', this.#record.requestId, 'X-Served-By', servedBy(agent), ...bound];
  }

  /** A response that cannot be passed on is an error of the upstream. */
  #guard(pass: () => void): void {
    try {
      pass();
    } catch (error) {
      this.#upstream?.abort();
      this.#upstream = undefined;
      if (this.#answer.isBegun) this.#cut(error as Error);
      else this.#refuse(new UpstreamError('ERR_TUNNEL_BAD_ANSWER', (error as Error).message, false, error));
    }
  }

  #refuse(error: unknown): void {
    if (this.#isDone) return;
    this.#upstream?.abort();
    this.#upstream = undefined;
    const { response } = this;
    if (response.destroyed || response.headersSent) {
      this.#done('abandoned', this.#status, error);
      return;
    }
    const answer = answerFor(error);
    const { agent, requestId } = this.#record;
    const added = ['X-Request-Id', requestId];
    if (agent !== undefined) added.push('X-Served-By', servedBy(agent));
    this.#failure = { status: answer.status, error };
    this.#body?.drop();
    try {
      this.#answer.refuse(answer, added);
    } catch (unforeseen) {
      response.socket?.destroy();
      this.#done('refused', undefined, unforeseen);
    }
  }

  #cut(error: Error): void {
    this.#body?.drop();
    this.#answer.cut();
    // A client that has ended its side may be gone; nothing distinguishes the two. An origin would treat it in the same way.
    this.#done(this.#isClientEnded ? 'abandoned' : 'cut', this.#status, error);
  }

  readonly #onFinish = (): void => {
    if (this.#failure === undefined) this.#done('complete', this.#status, undefined);
    else this.#done(this.#isClientEnded ? 'abandoned' : 'refused', this.#failure.status, this.#failure.error);
  };

  readonly #onDrain = (): void => {
    this.#pace.moved(performance.now());
    this.#answer.drained();
    this.#upstream?.resume();
  };

  #done(outcome: 'complete' | 'refused' | 'abandoned' | 'cut', status: number | undefined, error: unknown): void {
    if (this.#isDone) return;
    this.#isDone = true;
    if (outcome !== 'complete') this.#upstream?.abort();
    this.#upstream = undefined;
    if (outcome !== 'complete' && outcome !== 'refused') this.#body?.drop();
    if (this.#address !== undefined) this.#context.requestsOf.give(this.#address);
    this.#tenant?.giveRequest();
    this.#abandoned?.abort();
    this.#record.end(outcome, status, error, this.#context.log, this.#context.onServed);
    this.#onDone(this);
  }
}

/** As a header can carry it. */
function servedBy(agent: string): string {
  return /^[!-~][ -~]*$/.test(agent) ? agent : encodeURIComponent(agent);
}
