// One session to one of the gateways, redialed as long as the agent runs. Whatever a gateway or a proxy in front of it answers does not affect the other
// links. The link dials again, rarely if the answer will probably be the same.
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
  /** A dial has ended, with success or failure. */
  readonly onFirst: () => void;
  /** The gateway no longer accepts the token. */
  readonly onRefused: (error: unknown) => void;
  readonly log: Log;
}

export class GatewayLink {
  readonly #kept: Reconnector;
  /** Consecutive dials with a refused token. The second one uses a fresh token. */
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
        if (error instanceof GatewayTakenError) return; // the next gateway is tried
        const why = error === undefined ? 'the gateway goes away' : linkFailure(error);
        log('dials again', { gateway: url, inMs: Math.round(delay), why });
        onFirst();
        this.#refusals = refusesToken(error) ? this.#refusals + 1 : 0;
        if (this.#refusals > 1) onRefused(error);
      },
    });
  }

  /** Refuses new requests, serves running ones for at most `timeout` ms, then closes. */
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
 * False if no masking key is needed. The mask prevents that intermediaries take bytes for requests (RFC 6455 §10.3), and there are none before a gateway on
 * this machine. Masking each byte, on both sides, costs as much CPU as the rest of the work for a large body. Undefined leaves the choice to dial().
 */
export function masksFor(url: string): false | undefined {
  return proxyFor(url) === '' && isLoopbackHost(new URL(url).hostname) ? false : undefined;
}
