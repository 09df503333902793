// The parts that all exchanges of a gateway share: routes, limits, and observers.
import type { Log } from '../log.ts';
import type { AddressLimits } from './address-limits.ts';
import type { Affinity } from './affinity.ts';
import type { RouteOpener } from './route-opener.ts';
import type { Routes } from './routes.ts';
import type { ServedObserver } from './served.ts';

/** Times in milliseconds; 0 is no limit, but for the first two. */
export interface ExchangeContext {
  readonly routes: Routes;
  readonly opener: RouteOpener;
  /** The route for a request; undefined if no agent has ever served one. A promise if other gateways may know more. */
  readonly find: (host: string, path: string) => string | undefined | Promise<string | undefined>;
  readonly affinity: Affinity;
  /** This gateway, in Via. */
  readonly id: string;
  readonly openTimeout: number;
  readonly attemptTimeout: number;
  readonly idleTimeout: number;
  readonly joinedIdleTimeout: number;
  readonly bodyTimeout: number;
  /** Bytes a second. */
  readonly minBodyRate: number;
  /** Bytes a second. */
  readonly minAnswerRate: number;
  readonly maxHeadersCount: number;
  /** Bytes. */
  readonly maxAnswerHeaderSize: number;
  /** Proxies in front that are trusted. */
  readonly trustedHops: number;
  /** Requests at a time, by the client's address. */
  readonly requestsOf: AddressLimits;
  /** WebSockets and other connections that were joined, and how to end them. */
  readonly log: Log;
  readonly onServed: ServedObserver;
}
