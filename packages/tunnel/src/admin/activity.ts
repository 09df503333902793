// The recent activity for the dashboard: the last requests, and the last events as text.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { PoolMessages } from '@zishuo/yamux-balancer';
import type { ServedRequest } from '../gateway/served.ts';
import type { TunnelGateway } from '../gateway/tunnel-gateway.ts';

export interface PastRequest extends ServedRequest {
  readonly endedAt: number;
}

export interface PastEvent {
  readonly at: number;
  readonly kind:
    | 'joined'
    | 'gone'
    | 'draining'
    | 'resumed'
    | 'unhealthy'
    | 'healthy'
    | 'weight'
    | 'refused'
    | 'revoked'
    | 'restored'
    | 'gateway';
  /** The key of a session, or another subject. */
  readonly subject: string;
  /** What follows the subject in a sentence. */
  readonly text: string;
  /** The same, so many times in a row. */
  readonly times: number;
}

const KEPT = 20;

export class Activity {
  /** The latest first, as the next one. */
  readonly requests: PastRequest[] = [];
  readonly events: PastEvent[] = [];
  readonly #changed: () => void;
  readonly #ends: (() => void)[];

  /** `changed` is called at each event; requests are too many for that. */
  constructor(gateway: TunnelGateway, changed: () => void) {
    this.#changed = changed;
    const onServed = (request: ServedRequest): void => keep(this.requests, { ...request, endedAt: Date.now() });
    const onRefused = (status: number, why: string): void => this.tell('refused', 'an agent', `got ${status}: ${why}`);
    const onDraining = (): void => this.tell('gateway', 'the gateway', 'was asked to stop');
    gateway.on('served', onServed).on('refused', onRefused).on('draining', onDraining);
    const { pool } = gateway.routes;
    this.#ends = [
      () => gateway.off('served', onServed).off('refused', onRefused).off('draining', onDraining),
      hear(pool, 'yamux:pool:session:add', ({ snapshot }) => this.tell('joined', snapshot.key, 'joined')),
      hear(pool, 'yamux:pool:session:remove', ({ snapshot, error }) =>
        this.tell('gone', snapshot.key, error === undefined ? 'left' : `was lost: ${error.message}`),
      ),
      hear(pool, 'yamux:pool:session:drain', ({ snapshot, draining }) => {
        if (draining) this.tell('draining', snapshot.key, `drains${because(snapshot.drainReason)}`);
        else this.tell('resumed', snapshot.key, 'takes new requests again');
      }),
      hear(pool, 'yamux:pool:session:health', ({ snapshot, healthy, reason }) =>
        this.tell(healthy ? 'healthy' : 'unhealthy', snapshot.key, `is ${healthy ? '' : 'un'}healthy: ${reason}`),
      ),
    ];
  }

  tell(kind: PastEvent['kind'], subject: string, text: string): void {
    const last = this.events[0];
    const isRepeat = last !== undefined && last.kind === kind && last.subject === subject && last.text === text;
    // A thousand refused dials of one client are one line, so that they do not push other lines out.
    if (isRepeat) this.events.shift();
    keep(this.events, { at: Date.now(), kind, subject, text, times: isRepeat ? last.times + 1 : 1 });
    this.#changed();
  }

  close(): void {
    for (const end of this.#ends) end();
  }
}

function keep<T>(list: T[], item: T): void {
  list.unshift(item);
  if (list.length > KEPT) list.pop();
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`;
}

function hear<Name extends keyof PoolMessages>(
  pool: object,
  name: Name,
  heard: (message: PoolMessages[Name]) => void,
): () => void {
  // A diagnostics channel belongs to the whole process, so events of other pools come too.
  const listener = (message: unknown): void => {
    if ((message as PoolMessages[Name]).pool === pool) heard(message as PoolMessages[Name]);
  };
  subscribe(name, listener);
  return () => void unsubscribe(name, listener);
}
