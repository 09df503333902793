// The agent: keeps sessions to gateways, and forwards every stream that they open to a local target. It listens on no port.
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { YamuxSession } from '@zishuo/yamux';
import { checkLog, checkOptions, nameOf } from '../arguments.ts';
import { TunnelError } from '../errors.ts';
import type { Log } from '../log.ts';
import { GatewayLink } from './gateway-link.ts';
import { LocalPlaces } from './local-places.ts';
import { ServedStream } from './served-stream.ts';
import { ServerPlaces } from './server-places.ts';
import { Spread } from './spread.ts';
import { Targets } from './targets.ts';

export interface TunnelAgentOptions {
  /** The WebSocket URLs of the gateways; the agent connects to `spread` of them, with `connections` sessions each. */
  readonly gateways: readonly string[];
  /** The token, or a function that returns it at each dial, because tokens expire. */
  readonly token: string | (() => string);
  /** The targets that may be reached; or a server of this process, which then serves every route. */
  readonly targets: Targets | Server;
  /**
   * The number of gateways to which the agent connects. In a fleet two are enough; for independent gateways use their number.
   * @defaultValue 2
   */
  readonly spread?: number | undefined;
  /**
   * The number of sessions to each of these gateways. The gateway balances over sessions, so twice as many get twice the share.
   * @defaultValue 1
   */
  readonly connections?: number | undefined;
  /**
   * Milliseconds after which open WebSockets are closed with 1001 on both sides when the agent stops.
   * @defaultValue 10000
   */
  readonly webSocketDrain?: number | undefined;
  /** Called with every event: a name, and fields for a line of JSON. @defaultValue none */
  readonly log?: Log | undefined;
}

/** Dials gateways, redials as long as it runs, and serves their requests from its targets. */
export class TunnelAgent {
  readonly #places: LocalPlaces | ServerPlaces;
  readonly #links: readonly GatewayLink[];
  readonly #refused = new Set<GatewayLink>();
  readonly #webSocketDrain: number;
  /** Resolves when every link has had its first session; rejects when the agent ends before: every gateway has refused the token, or close(). */
  readonly connected: Promise<void>;
  /** Resolves when every link has dialed, with a session or without, or after close(). */
  readonly dialed: Promise<void>;
  /** Resolves after close(); rejects when every gateway has refused the token. */
  readonly ended: Promise<void>;
  #end!: () => void;

  /**
   * Dials at once.
   * @throws TypeError for a wrong option.
   */
  constructor(options: TunnelAgentOptions) {
    checkAgentOptions(options);
    const { gateways, token, targets, spread = 2, connections = 1, webSocketDrain = 10_000, log = () => {} } = options;
    this.#places = targets instanceof Targets ? new LocalPlaces(targets, log) : new ServerPlaces(targets, log);
    this.#webSocketDrain = webSocketDrain;
    const links: GatewayLink[] = [];
    const firsts: Promise<void>[] = [];
    const dials: Promise<void>[] = [];
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      for (const { urls, among } of waysTo(gateways, spread, connections)) {
        const first = deferred();
        const dialed = deferred();
        firsts.push(first.promise);
        dials.push(dialed.promise);
        const link: GatewayLink = new GatewayLink({
          urls,
          spread: among,
          token: typeof token === 'string' ? () => token : token,
          log,
          onSession: (session) => {
            this.#refused.delete(link);
            this.#serve(session);
            first.resolve();
          },
          onFirst: dialed.resolve,
          onRefused: (error) => {
            this.#refused.add(link);
            if (this.#refused.size < links.length) return; // the other links still serve
            reject(error);
            void this.close(0);
          },
        });
        links.push(link);
      }
    });
    this.ended.catch(() => {}); // callers that wait for it get the error
    this.#links = links;
    const closed = this.ended.then(() => {
      throw new TunnelError('ERR_TUNNEL_AGENT_CLOSED', 'the agent was closed before it was connected');
    });
    this.connected = Promise.race([Promise.all(firsts).then(() => {}), closed]);
    this.connected.catch(() => {}); // callers that wait for it get the error
    this.dialed = Promise.race([Promise.all(dials).then(() => {}), this.ended]);
  }

  /** Refuses new requests, serves running ones for at most `timeout` ms, then closes its sessions. */
  async close(timeout = 30_000): Promise<void> {
    const links = Promise.all(this.#links.map((link) => link.stop(timeout)));
    // For a short timeout, half of it is reserved for the closing handshake.
    const deadline = new AbortController();
    const away = sleep(Math.min(this.#webSocketDrain, timeout / 2), undefined, { signal: deadline.signal }).then(
      () => {
        for (const joined of this.#places.joined) joined.sendAway();
      },
      () => {},
    );
    await links;
    deadline.abort();
    await away;
    this.#places.close();
    this.#end();
  }

  #serve(session: YamuxSession): void {
    session.on('error', () => {}); // the link reports why it was lost
    session.on('stream', (stream) => new ServedStream(stream, this.#places));
  }
}

const NAMES: readonly string[] = Object.keys({
  gateways: true,
  token: true,
  targets: true,
  spread: true,
  connections: true,
  webSocketDrain: true,
  log: true,
} satisfies Record<keyof TunnelAgentOptions, true>);

/** @throws TypeError */
function checkAgentOptions(options: TunnelAgentOptions): void {
  checkOptions('TunnelAgent', options, NAMES);
  const {
    gateways,
    token,
    targets,
    log = () => {},
  } = options as { readonly [Name in keyof TunnelAgentOptions]: unknown };
  if (!Array.isArray(gateways) || gateways.length === 0) {
    const got = Array.isArray(gateways) ? 'an empty one' : nameOf(gateways);
    throw new TypeError(`expected gateways to be an array of one or more URLs, got ${got}`);
  }
  if (typeof token !== 'string' && typeof token !== 'function') {
    throw new TypeError(`expected token to be a string or a function, got ${nameOf(token)}`);
  }
  // A server is recognized by its shape; other objects emit 'connection' too.
  if (!(targets instanceof Targets) && typeof (targets as Partial<Server> | null | undefined)?.emit !== 'function') {
    const expected = 'expected targets to be Targets, as Targets.parse() makes them, or an HTTP server';
    throw new TypeError(`${expected}, got ${nameOf(targets)}`);
  }
  checkLog(log);
}

/** Of each link: which gateways it dials, and among which others each goes to a gateway of its own. */
function waysTo(
  gateways: readonly string[],
  spread: number,
  connections: number,
): readonly { readonly urls: readonly string[]; readonly among: Spread }[] {
  return Array.from({ length: connections }, () => new Spread(gateways, Math.random)).flatMap((among) =>
    gateways.length <= spread
      ? gateways.map((url) => ({ urls: [url], among: new Spread([url], Math.random) }))
      : Array.from({ length: spread }, (_, number) => ({ urls: among.from(number), among })),
  );
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
