// A minimal load balancer for several gateways: round-robin over the gateways that are ready, and the next one if a connection is refused. In production
// use your own load balancer.
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Backend {
  readonly host: string;
  readonly port: number;
  /** The path that answers 200 while the backend is ready for requests. */
  readonly readyUrl: string;
}

/** Milliseconds between two looks at who is ready, and for one of them. */
const LOOK_INTERVAL = 50;
const LOOK_TIMEOUT = 1_000;
/** Consecutive checks without an answer after which a backend is not ready. */
const MAX_SILENT = 3;

export class Front {
  readonly #server: Server;
  readonly #backends: readonly Backend[];
  #ready: readonly Backend[] = [];
  #waiting: { readonly backend: Backend; readonly resolve: () => void }[] = [];
  #turn = 0;
  #closed = false;

  /** Resolves when all of them are ready. */
  static async listen(backends: readonly Backend[]): Promise<Front> {
    const front = new Front(backends);
    await new Promise<void>((resolve) => front.#server.listen(0, '127.0.0.1', resolve));
    for (const backend of backends) void front.#watch(backend);
    await Promise.all(backends.map((backend) => front.becomesReady(backend)));
    return front;
  }

  private constructor(backends: readonly Backend[]) {
    this.#backends = backends;
    this.#server = createServer({ requestTimeout: 0 }, (request, response) => void this.#serve(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when a look that ends from now on has found it ready. */
  becomesReady(backend: Backend): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ backend, resolve }));
  }

  close(): void {
    this.#closed = true;
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Each viewer separately, so that a slow one does not delay the others. */
  async #watch(backend: Backend): Promise<void> {
    let silent = 0;
    while (!this.#closed) {
      const isReady = await lookAt(backend);
      silent = isReady === undefined ? silent + 1 : 0;
      // A single check without an answer may be due to a busy machine.
      if (isReady !== undefined || silent >= MAX_SILENT) this.#found(backend, isReady === true);
      await sleep(LOOK_INTERVAL);
    }
  }

  #found(backend: Backend, isReady: boolean): void {
    this.#ready = this.#backends.filter((one) => (one === backend ? isReady : this.#ready.includes(one)));
    if (!isReady) return;
    for (const waiting of this.#waiting) if (waiting.backend === backend) waiting.resolve();
    this.#waiting = this.#waiting.filter((waiting) => waiting.backend !== backend);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const ready = this.#ready;
    this.#turn += 1;
    for (let count = 0; count < ready.length; count += 1) {
      const socket = await connected(ready[(this.#turn + count) % ready.length] as Backend);
      if (socket === undefined) continue; // nothing was sent, so another gateway can be tried
      forward(request, response, socket);
      return;
    }
    response.writeHead(503, { 'Retry-After': '1' }).end('no gateway is ready\n');
  }
}

/** Undefined: no answer in time. */
async function lookAt({ readyUrl }: Backend): Promise<boolean | undefined> {
  try {
    const response = await fetch(readyUrl, { signal: AbortSignal.timeout(LOOK_TIMEOUT) });
    await response.arrayBuffer(); // or the connection is not free for the next check
    return response.ok;
  } catch (error) {
    return (error as Error).name === 'TimeoutError' ? undefined : false;
  }
}

/** Undefined if there is no answer. */
function connected({ host, port }: Backend): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

/** A new connection for each request, because a gateway may close a reused one in the moment of its reuse. */
function forward(request: IncomingMessage, response: ServerResponse, socket: Socket): void {
  const { method, url: path } = request;
  const headers = withoutConnection(request.rawHeaders);
  const upstream = httpRequest({ createConnection: () => socket, method, path, headers });
  let answered = false; // a gateway may answer before it has the whole body; then the rest of the writing fails
  upstream.once('response', (answer) => {
    answered = true;
    response.writeHead(answer.statusCode ?? 502, withoutConnection(answer.rawHeaders));
    pipeline(answer, response, () => {}); // a failure has destroyed both, and the client sees that
  });
  upstream.on('error', () => {
    if (!answered) response.destroy();
  });
  response.once('close', () => {
    if (!response.writableFinished) upstream.destroy();
  });
  request.pipe(upstream);
}

function withoutConnection(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index, all) => all[index - (index % 2)]?.toLowerCase() !== 'connection');
}
