// One session to one gateway, kept for as long as the agent runs. When to dial again, and when to give up, is keepConnected()'s matter;
// here is what it says in the log.
import type { YamuxSession } from '@zishuo/yamux';
import { keepConnected, type Reconnector } from '@zishuo/yamux-websocket';
import { describe } from '../errors.ts';
import type { Log } from '../log.ts';

export interface GatewayLinkOptions {
  readonly url: string;
  readonly token: string;
  readonly onSession: (session: YamuxSession) => void;
  readonly log: Log;
}

export class GatewayLink {
  /** Settles when the link is over: resolves after stop(), rejects when the gateway refuses the token. */
  readonly ended: Promise<void>;
  readonly #kept: Reconnector;

  constructor({ url, token, onSession, log }: GatewayLinkOptions) {
    this.#kept = keepConnected({
      urls: url,
      dial: { headers: { Authorization: `Bearer ${token}` } },
      onSession: (session) => {
        log('connected', { gateway: url });
        onSession(session);
      },
      onRetry: ({ delay, error }) => {
        const why = error === undefined ? 'the gateway goes away' : describe(error);
        log('dials again', { gateway: url, inMs: delay, why });
      },
    });
    this.ended = this.#kept.stopped.then((error) => {
      if (error !== undefined) throw error;
    });
  }

  /** Takes no new request, serves what runs for at most `timeout` ms, then closes. */
  async stop(timeout: number): Promise<void> {
    await this.#kept.stop({ timeout });
  }
}
