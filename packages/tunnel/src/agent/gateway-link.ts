// One session to one gateway, kept for as long as the agent runs. Whatever a gateway, or what stands in front of it, answers: the others are not
// concerned, and it is asked again, rarely where the answer will hardly be another one.
import type { YamuxSession } from '@zishuo/yamux';
import { keepConnected, type Reconnector } from '@zishuo/yamux-websocket';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';
import { describe } from '../errors.ts';
import { EXCHANGE_HEADER, EXCHANGE_VERSION } from '../exchange/block.ts';
import { isLoopbackHost } from '../http/loopback.ts';
import type { Log } from '../log.ts';

export interface GatewayLinkOptions {
  readonly url: string;
  /** Asked at each dial. */
  readonly token: () => string;
  readonly onSession: (session: YamuxSession) => void;
  /** A dial has come to something, be it a failure. */
  readonly onFirst: () => void;
  /** The gateway takes the token no more. */
  readonly onRefused: (error: unknown) => void;
  readonly log: Log;
}

/** Milliseconds after which a gateway is asked again that gave a final answer; up to as much again at random. */
const RARELY = 30_000;

export class GatewayLink {
  readonly #options: GatewayLinkOptions;
  #kept: Reconnector;
  #again: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: GatewayLinkOptions) {
    this.#options = options;
    this.#kept = this.#keep();
  }

  /** Takes no new request, serves what runs for at most `timeout` ms, then closes. */
  async stop(timeout: number): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#again);
    await this.#kept.stop({ timeout });
  }

  #keep(): Reconnector {
    const { url, token, onSession, onFirst, log } = this.#options;
    const kept = keepConnected({
      urls: url,
      dial: () => ({
        maskPayload: masksFor(url),
        yamux: { flushAt: 'turn' },
        headers: { Authorization: `Bearer ${token()}`, [EXCHANGE_HEADER]: EXCHANGE_VERSION },
        ws: throughProxy(url),
      }),
      onSession: (session) => {
        log('connected', { gateway: url });
        onSession(session);
        onFirst();
      },
      onRetry: ({ delay, error }) => {
        const why = error === undefined ? 'the gateway goes away' : describe(error);
        log('dials again', { gateway: url, inMs: delay, why });
        onFirst();
      },
    });
    void kept.stopped.then((error) => this.#onStopped(error));
    return kept;
  }

  #onStopped(error: unknown): void {
    if (this.#isStopped || error === undefined) return;
    const delay = RARELY * (1 + Math.random());
    this.#options.onFirst();
    this.#options.log('dials again', { gateway: this.#options.url, inMs: Math.round(delay), why: describe(error) });
    this.#again = setTimeout(() => {
      this.#kept = this.#keep();
    }, delay);
    if (refusesToken(error)) this.#options.onRefused(error);
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

/** HTTPS_PROXY for wss: and HTTP_PROXY for ws:, but for what NO_PROXY names. */
function throughProxy(url: string): { readonly agent?: HttpsProxyAgent<string> } {
  const proxy = proxyFor(url);
  return proxy === '' ? {} : { agent: new HttpsProxyAgent(proxy) };
}

function proxyFor(url: string): string {
  return getProxyForUrl(url.replace(/^ws/, 'http'));
}
