// The link to one node: dials its sessions, keeps them in the pool of links, and dials again with growing pauses.
import { client, type YamuxSession } from '@zishuo/yamux';
import type { Clock, SessionPool } from '@zishuo/yamux-balancer';
import type { NodeRecord } from '../directory/directory.ts';
import { introduce } from './greeting.ts';
import { linkOptions } from './link-session.ts';
import type { PeerNetwork } from './network.ts';

export interface PeerLinkSettings {
  readonly network: PeerNetwork;
  readonly pool: SessionPool<YamuxSession>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly secret: string;
  readonly self: () => NodeRecord;
  /** The number of sessions. */
  readonly sessions: number;
}

/** ms over which the first dials are spread. */
const FIRST_DIAL = 50;
const SHORTEST_PAUSE = 100;
const LONGEST_PAUSE = 2_000;
/** ms for a connection, including its handshake. */
const DIAL_TIMEOUT = 3_000;

export class PeerLink {
  /** The error of the last dial. */
  lastError: Error | undefined;
  readonly #settings: PeerLinkSettings;
  readonly #node: NodeRecord;
  readonly #sessions = new Set<YamuxSession>();
  readonly #closed = new AbortController();
  readonly #timers = new Set<unknown>();
  #settle: () => void = () => {};
  readonly #settled: Promise<void>;

  constructor(settings: PeerLinkSettings, node: NodeRecord) {
    this.#settings = settings;
    this.#node = node;
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
    for (let index = 0; index < settings.sessions; index += 1) this.#dialLater(FIRST_DIAL, 0);
  }

  /** Whether a session of the link takes streams. */
  get isUp(): boolean {
    for (const session of this.#sessions) if (session.state === 'open') return true;
    return false;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** ms; undefined before the first answered ping. */
  get rtt(): number | undefined {
    const known = Array.from(this.#sessions, ({ rtt }) => rtt).filter((rtt) => rtt !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  /** Resolves when the first dial has succeeded or failed. */
  get firstDial(): Promise<void> {
    return this.#settled;
  }

  async close(timeout: number): Promise<void> {
    this.#closed.abort();
    for (const timer of this.#timers) this.#settings.clock.clearTimeout(timer);
    this.#settle();
    await Promise.all(Array.from(this.#sessions, (session) => session.close({ timeout }).catch(() => {})));
  }

  /** Dials within `pause` ms; half of the pause is random. */
  #dialLater(pause: number, attempt: number): void {
    const { clock, random } = this.#settings;
    if (this.#closed.signal.aborted) return;
    const timer = clock.setTimeout(
      () => {
        this.#timers.delete(timer);
        void this.#dial(attempt);
      },
      pause * (0.5 + random() / 2),
    );
    this.#timers.add(timer);
  }

  async #dial(attempt: number): Promise<void> {
    try {
      this.#keep(await this.#connect());
      this.#settle();
    } catch (error) {
      this.lastError = error as Error;
      this.#settle();
      this.#dialLater(Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** attempt), attempt + 1);
    }
  }

  async #connect(): Promise<YamuxSession> {
    const { network, clock, secret, self } = this.#settings;
    const limit = new AbortController();
    const abort = (): void => limit.abort();
    this.#closed.signal.addEventListener('abort', abort);
    const timer = clock.setTimeout(abort, DIAL_TIMEOUT);
    try {
      const socket = await network.dial(this.#node, limit.signal);
      const destroy = (): void => void socket.destroy();
      limit.signal.addEventListener('abort', destroy);
      socket.on('error', ignored);
      try {
        const { id: from, name } = self();
        await introduce(socket, { from, name, to: this.#node.id }, secret);
      } catch (error) {
        socket.destroy();
        throw error;
      }
      limit.signal.removeEventListener('abort', destroy);
      socket.off('error', ignored);
      return client(socket, { ...linkOptions(clock), acceptBacklog: 0 });
    } finally {
      clock.clearTimeout(timer);
      this.#closed.signal.removeEventListener('abort', abort);
    }
  }

  #keep(session: YamuxSession): void {
    if (this.#closed.signal.aborted) {
      session.destroy();
      return;
    }
    this.#sessions.add(session);
    this.#settings.pool.add(session, { id: this.#node.id });
    session.once('close', () => {
      this.#sessions.delete(session);
      this.#dialLater(SHORTEST_PAUSE, 0);
    });
  }
}

function ignored(): void {}
