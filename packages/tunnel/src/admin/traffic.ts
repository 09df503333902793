// The traffic of the gateway: bytes of each session and of all, requests and failures, now and over the last minute. Reads the sessions on request, and
// has no timer.
import type { AgentSession } from '../gateway/routes.ts';
import type { ServedRequest } from '../gateway/served.ts';
import type { TunnelGateway } from '../gateway/tunnel-gateway.ts';

/** Per second, the latest last. Up is from clients to agents. Frames and HTTP heads are counted as they went over the network. */
export interface Plot {
  readonly up: readonly number[];
  readonly down: readonly number[];
}

export interface TrafficPlot extends Plot {
  readonly requests: readonly number[];
  /** Those that ran at the moment of the sample. */
  readonly running: readonly number[];
  /** Not per second: in the sample. */
  readonly failed: readonly number[];
}

/** Samples that are kept: a minute, if there is one a second. */
const KEPT = 60;

class Meter {
  up = 0;
  down = 0;
  readonly #plot: { up: number[]; down: number[] } = { up: [], down: [] };
  #sampled = { up: 0, down: 0 };

  get plot(): Plot {
    return this.#plot;
  }

  sample(seconds: number): void {
    keep(this.#plot.up, Math.round((this.up - this.#sampled.up) / seconds));
    keep(this.#plot.down, Math.round((this.down - this.#sampled.down) / seconds));
    this.#sampled = { up: this.up, down: this.down };
  }
}

export class Traffic {
  readonly #gateway: TunnelGateway;
  readonly #meters = new Map<AgentSession, Meter>();
  readonly #all = new Meter();
  readonly #requests: number[] = [];
  readonly #running: number[] = [];
  readonly #failures: number[] = [];
  readonly #onJoined = (session: AgentSession): void => void this.#meters.set(session, new Meter());
  readonly #onServed = (request: ServedRequest): void => {
    this.served += 1;
    if (isFailure(request)) this.failed += 1;
  };
  #sampledAt: number;
  #sampled = { served: 0, failed: 0 };
  served = 0;
  failed = 0;

  /** Times are in milliseconds, from any beginning. */
  constructor(gateway: TunnelGateway, now: number) {
    this.#gateway = gateway;
    this.#sampledAt = now;
    for (const session of gateway.routes.sessions) this.#onJoined(session);
    gateway.on('joined', this.#onJoined).on('served', this.#onServed);
  }

  close(): void {
    this.#gateway.off('joined', this.#onJoined).off('served', this.#onServed);
  }

  /** Of all sessions, past ones included, since the beginning. */
  get bytes(): { readonly up: number; readonly down: number } {
    this.#read();
    return { up: this.#all.up, down: this.#all.down };
  }

  get failedLately(): number {
    return this.#failures.reduce((sum, count) => sum + count, this.failed - this.#sampled.failed);
  }

  get plot(): TrafficPlot {
    return { ...this.#all.plot, requests: this.#requests, running: this.#running, failed: this.#failures };
  }

  plotOf(session: AgentSession): Plot {
    return this.#meters.get(session)?.plot ?? { up: [], down: [] };
  }

  /** Takes the next sample: what has moved since the last one. */
  sample(now: number): void {
    const seconds = (now - this.#sampledAt) / 1_000;
    if (seconds <= 0) return;
    this.#sampledAt = now;
    this.#read();
    for (const meter of [this.#all, ...this.#meters.values()]) meter.sample(seconds);
    keep(this.#requests, Math.round(((this.served - this.#sampled.served) / seconds) * 10) / 10);
    const { requests, tcpConnections } = this.#gateway.running;
    keep(this.#running, requests + tcpConnections);
    keep(this.#failures, this.failed - this.#sampled.failed);
    this.#sampled = { served: this.served, failed: this.failed };
  }

  /** Updates the meters. A session that has left is read once more, then forgotten. */
  #read(): void {
    for (const [session, meter] of this.#meters) {
      const { bytesSent, bytesReceived } = session.session.stats();
      this.#all.up += bytesSent - meter.up;
      this.#all.down += bytesReceived - meter.down;
      meter.up = bytesSent;
      meter.down = bytesReceived;
      if (!this.#gateway.routes.sessions.has(session)) this.#meters.delete(session);
    }
  }
}

/** A client that left, or an unknown route, is not a failure of the gateway or its agents. */
function isFailure({ outcome, status }: ServedRequest): boolean {
  return outcome === 'cut' || (outcome === 'refused' && status === undefined) || (status ?? 0) >= 500;
}

function keep(list: number[], value: number): void {
  list.push(value);
  if (list.length > KEPT) list.shift();
}
