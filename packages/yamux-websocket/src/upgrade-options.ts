// The options of acceptUpgrades(): names, meaning, and what can be checked before the first upgrade comes.
import type { IncomingMessage } from 'node:http';
import type { Role, SessionOptions, YamuxSession } from '@zishuo/yamux';
import {
  checkBoolean,
  checkFunction,
  checkOptionalFunction,
  checkOptions,
  checkOptionsObject,
  checkStrings,
  quoted,
} from './arguments.ts';
import type { UpgradeRefusedError } from './errors.ts';
import { CARRIED_STREAM_OPTIONS } from './options.ts';
import type { CarriedStreamOptions } from './session.ts';

/** Times in milliseconds. */
export interface UpgradeOptions<Identity> {
  /** The pathname, without a query, that is accepted here. */
  readonly path: string;
  /**
   * Who the client is: anything true, handed to `onSession`. Anything false refuses with 401; a thrown
   * {@link UpgradeRefusedError} refuses with its status, headers and body; every other error with 500. The signal aborts when the
   * answer does not matter any more.
   */
  readonly authenticate: (
    request: IncomingMessage,
    signal: AbortSignal,
  ) => Identity | Falsy | PromiseLike<Identity | Falsy>;
  /**
   * Called with every new session, before anything is read from it: attach its 'error' listener here. What it throws, or rejects
   * with, is uncaught, and the session is destroyed.
   */
  readonly onSession: (session: YamuxSession, request: IncomingMessage, identity: Identity) => unknown;
  /** Called with every refusal. An unforeseen error of `authenticate` is its `cause`, and without this a process warning. */
  readonly onRefused?: ((refusal: UpgradeRefusedError, request: IncomingMessage) => void) | undefined;
  /** The first of these that the client offers is chosen; a client that offers none of them is refused with 400. */
  readonly subprotocols?: readonly string[] | undefined;
  /**
   * `false` takes clients that offer no known subprotocol as well: the Go peers offer none at all.
   * @defaultValue true
   */
  readonly requireSubprotocol?: boolean | undefined;
  /** Refuses with 403 unless it returns true. Browsers send an Origin, agents none; needed where cookies authenticate. */
  readonly checkOrigin?: ((origin: string | undefined, request: IncomingMessage) => boolean) | undefined;
  /**
   * Upgrades that wait for `authenticate` at a time; one more is refused with 503.
   * @defaultValue 100
   */
  readonly maxPending?: number | undefined;
  /**
   * An upgrade that waits longer is refused with 503.
   * @defaultValue 10000
   */
  readonly pendingTimeout?: number | undefined;
  /**
   * Named in the Retry-After header of a 503, in whole seconds.
   * @defaultValue 5000
   */
  readonly retryAfter?: number | undefined;
  /**
   * Of the sessions.
   * @defaultValue 'server'
   */
  readonly role?: Role | undefined;
  /**
   * Options of the sessions; or what gives those of the next one, by who the client is: a `WindowBudget` for each tenant. What that throws is
   * uncaught, as from any listener, and the WebSocket is closed.
   */
  readonly yamux?: SessionOptions | ByIdentity<Identity, SessionOptions> | undefined;
  /**
   * Options of the byte streams beneath them; or what gives those of the next one, likewise: a `MessageBudget` for each tenant. Where either is
   * a function, messages of more than 16 MiB + 64 KiB are refused whatever it returns.
   */
  readonly stream?: CarriedStreamOptions | ByIdentity<Identity, CarriedStreamOptions> | undefined;
  /** Handed to `new WebSocketServer()` of `ws`, above `recommendedWsOptions()`. */
  readonly ws?: Readonly<Record<string, unknown>> | undefined;
}

/** Gives the options for what one client is about to have. */
export type ByIdentity<Identity, Options> = (identity: Identity, request: IncomingMessage) => Options | undefined;

export type Falsy = false | null | undefined;

const UPGRADE_OPTIONS = Object.keys({
  path: true,
  authenticate: true,
  onSession: true,
  onRefused: true,
  subprotocols: true,
  requireSubprotocol: true,
  checkOrigin: true,
  maxPending: true,
  pendingTimeout: true,
  retryAfter: true,
  role: true,
  yamux: true,
  stream: true,
  ws: true,
} satisfies Record<keyof UpgradeOptions<unknown>, true>);

/** @throws {TypeError} */
export function checkUpgradeOptions<Identity>(options: UpgradeOptions<Identity> | undefined): void {
  if (options === undefined)
    throw new TypeError('Expected the options of acceptUpgrades(): path, authenticate and onSession');
  checkOptions('acceptUpgrades()', options, UPGRADE_OPTIONS);
  const { path, authenticate, onSession, onRefused, checkOrigin, subprotocols, requireSubprotocol } = options;
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw new TypeError(`Expected path to be a string that starts with '/', got ${quoted(path)}`);
  }
  checkFunction('authenticate', authenticate);
  checkFunction('onSession', onSession);
  checkOptionalFunction('onRefused', onRefused);
  checkOptionalFunction('checkOrigin', checkOrigin);
  checkStrings('subprotocols', subprotocols);
  checkBoolean('requireSubprotocol', requireSubprotocol);
  if (typeof options.stream !== 'function') checkOptions('stream', options.stream, CARRIED_STREAM_OPTIONS);
  checkOptionsObject('ws', options.ws);
  for (const name of Object.keys(options.ws ?? {})) {
    const instead = WS_OPTIONS_IN_OTHER_PLACES[name];
    if (instead !== undefined) throw new TypeError(`Expected ws to be given without ${name}: ${instead}`);
  }
}

/** Options of WebSocketServer that acceptUpgrades() would overrule, or that would keep its sessions from it. */
const WS_OPTIONS_IN_OTHER_PLACES: Readonly<Record<string, string>> = {
  port: 'the HTTP server listens',
  host: 'the HTTP server listens',
  backlog: 'the HTTP server listens',
  server: 'the HTTP server is the first argument',
  noServer: 'the HTTP server is the first argument',
  path: 'give path to acceptUpgrades()',
  clientTracking: 'onSession is given every session',
  handleProtocols: 'give subprotocols to acceptUpgrades()',
  verifyClient: 'authenticate does this',
};
