// Keeps one session to one gateway: dials, waits for its end, dials again after a random pause. When a gateway says that it will go,
// the next session is dialled at once, while the old one serves its requests to their end.
import { setTimeout as sleep } from 'node:timers/promises';
import type { YamuxSession } from '@zishuo/yamux';
import { dial } from '@zishuo/yamux-websocket';
import { codeOf, describe } from '../errors.ts';
import type { Log } from '../log.ts';

/** Milliseconds. The pause is random between 0 and a bound that doubles: agents that lost one gateway do not come back all at once. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 30_000;
/** A session that lived this long was a good one: the bound starts anew. */
const GOOD_LIFE = 10_000;

export interface GatewayLinkOptions {
  readonly url: string;
  readonly token: string;
  readonly onSession: (session: YamuxSession) => void;
  readonly log: Log;
}

export class GatewayLink {
  readonly #options: GatewayLinkOptions;
  readonly #stop = new AbortController();
  /** More than one only while a gateway that will go serves its last requests. */
  readonly #sessions = new Set<YamuxSession>();
  /** Settles when the link is over: resolves after stop(), rejects when the gateway refuses the token. */
  readonly ended: Promise<void>;

  constructor(options: GatewayLinkOptions) {
    this.#options = options;
    this.ended = this.#run();
  }

  /** Takes no new request, serves what runs for at most `timeout` ms, then closes. */
  async stop(timeout: number): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled([...this.#sessions].map((session) => drain(session, timeout)));
  }

  async #run(): Promise<void> {
    const { url, token, onSession, log } = this.#options;
    const { signal } = this.#stop;
    const stopped = (): boolean => signal.aborted;
    let pause = FIRST_PAUSE;
    while (!stopped()) {
      try {
        const session = await dial(url, { headers: { Authorization: `Bearer ${token}` }, signal });
        const since = performance.now();
        const over = this.#watch(session);
        onSession(session);
        log('connected', { gateway: url });
        const why = await over;
        if (performance.now() - since >= GOOD_LIFE) pause = FIRST_PAUSE;
        log('connection lost', { gateway: url, why });
      } catch (error) {
        if (stopped()) return;
        if (refusesUs(error)) throw error;
        log('connection failed', { gateway: url, error: describe(error) });
      }
      await sleep(Math.random() * pause, undefined, { signal }).catch(() => {});
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  /** Resolves with a reason when the session cannot be counted on any more. */
  #watch(session: YamuxSession): Promise<string> {
    this.#sessions.add(session);
    return new Promise((resolve) => {
      session.on('error', (error) => resolve(error.message));
      session.once('goAway', () => resolve('the gateway goes away'));
      session.once('close', () => {
        this.#sessions.delete(session);
        resolve('closed');
      });
    });
  }
}

async function drain(session: YamuxSession, timeout: number): Promise<void> {
  const deadline = setTimeout(() => {
    session.close({ timeout: 0 }).catch(() => {}); // the call below tells the same
  }, timeout);
  await session.goAway(); // the gateway opens no more; what it opened until it knew is still served
  await session.close().finally(() => clearTimeout(deadline));
}

/** The answer to this token will be the same next time. */
function refusesUs(error: unknown): boolean {
  if (codeOf(error, '') !== 'ERR_YAMUX_WEBSOCKET_REFUSED') return false;
  const { status } = error as { status?: unknown };
  return status === 401 || status === 403;
}
