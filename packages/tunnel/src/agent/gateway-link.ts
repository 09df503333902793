// One session to one of the gateways, kept for as long as the agent runs. Whatever a gateway, or what stands in front of it, answers: the others are not
// concerned, and it is asked again, rarely where the answer will hardly be another one.
import type { YamuxSession } from '@zishuo/yamux';
import { keepConnected, type Reconnector } from '@zishuo/yamux-websocket';
import { EXCHANGE_HEADER, EXCHANGE_VERSION } from '../exchange/block.ts';
import { isLoopbackHost } from '../http/loopback.ts';
import type { Log } from '../log.ts';
import { linkFailure } from './link-failure.ts';
import { proxyFor, throughProxy } from './proxy.ts';
import { GatewayTakenError, type Spread } from './spread.ts';

export interface GatewayLinkOptions {
  /** Dialed in turn. */
  readonly urls: readonly string[];
  /** Which of them other links of the agent go to. */
  readonly spread: Spread;
  /** Asked at each dial. */
  readonly token: () => string;
  readonly onSession: (session: YamuxSession) => void;
  /** A dial has come to something, be it a failure. */
  readonly onFirst: () => void;
  /** The gateway takes the token no more. */
  readonly onRefused: (error: unknown) => void;
  readonly log: Log;
}

export class GatewayLink {
  readonly #kept: Reconnector;
  /** Dials in a row at which the token was refused: the second one had it fresh. */
  #refusals = 0;

  constructor({ urls, spread, token, onSession, onFirst, onRefused, log }: GatewayLinkOptions) {
    this.#kept = keepConnected({
      urls,
      dial: ({ url }) => {
        spread.take(this, url);
        return {
          maskPayload: masksFor(url),
          yamux: { flushAt: 'turn' },
          headers: { Authorization: `Bearer ${token()}`, [EXCHANGE_HEADER]: EXCHANGE_VERSION },
          ws: throughProxy(url),
        };
      },
      giveUp: false,
      onSession: (session, url) => {
        log('connected', { gateway: url });
        onSession(session);
        onFirst();
      },
      onRetry: ({ url, delay, error }) => {
        spread.leave(this);
        if (error instanceof GatewayTakenError) return; // the next one is tried
        const why = error === undefined ? 'the gateway goes away' : linkFailure(error);
        log('dials again', { gateway: url, inMs: Math.round(delay), why });
        onFirst();
        this.#refusals = refusesToken(error) ? this.#refusals + 1 : 0;
        if (this.#refusals > 1) onRefused(error);
      },
    });
  }

  /** Takes no new request, serves what runs for at most `timeout` ms, then closes. */
  async stop(timeout: number): Promise<void> {
    await this.#kept.stop({ timeout });
  }
}

/** Refused at the upgrade, or sent away by a close code that says so. */
function refusesToken(error: unknown): boolean {
  const { status, closeCode } = (error ?? {}) as { readonly status?: unknown; readonly closeCode?: unknown };
  return status === 401 || status === 403 || closeCode === 1008 || closeCode === 4401 || closeCode === 4403;
}

/**
 * False where no key is needed: a mask keeps what stands in between from taking bytes for requests, and to a gateway of this machine nothing
 * does (RFC 6455 §10.3). Working on each byte, at both ends, costs as much as all the rest of a large body. Undefined leaves it to dial().
 */
export function masksFor(url: string): false | undefined {
  return proxyFor(url) === '' && isLoopbackHost(new URL(url).hostname) ? false : undefined;
}
