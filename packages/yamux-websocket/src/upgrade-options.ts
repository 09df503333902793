// The options of acceptUpgrades(): names, descriptions, and the checks before the first upgrade.
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

/** All times in milliseconds. */
export interface UpgradeOptions<Identity> {
  /** The path to accept upgrades on, without a query. */
  readonly path: string;
  /**
   * Returns the identity of the client, which is passed to `onSession`. A falsy value refuses the upgrade with 401, a thrown
   * {@link UpgradeRefusedError} with its status, headers and body, and every other error with 500. The signal aborts when the answer is no
   * longer needed.
   */
  readonly authenticate: (
    request: IncomingMessage,
    signal: AbortSignal,
  ) => Identity | Falsy | PromiseLike<Identity | Falsy>;
  /**
   * Called with every new session, before anything is read from it. Attach the 'error' listener of the session here. If it throws or rejects,
   * the error is an uncaught exception, and the session is destroyed.
   */
  readonly onSession: (session: YamuxSession, request: IncomingMessage, identity: Identity) => unknown;
  /** Called with every refusal. Its `cause` is an unexpected error of `authenticate`. Without this option such an error is a process warning. */
  readonly onRefused?: ((refusal: UpgradeRefusedError, request: IncomingMessage) => void) | undefined;
  /** The accepted subprotocols: the first one that the client offers is chosen. A client that offers none of them is refused with 400. */
  readonly subprotocols?: readonly string[] | undefined;
  /**
   * `false` also accepts clients that offer no known subprotocol. Go peers offer none.
   * @defaultValue true
   */
  readonly requireSubprotocol?: boolean | undefined;
  /** The upgrade is refused with 403 unless this returns true. Browsers send an Origin, agents do not. Needed if cookies authenticate clients. */
  readonly checkOrigin?: ((origin: string | undefined, request: IncomingMessage) => boolean) | undefined;
  /**
   * How many upgrades may wait for `authenticate` at a time. One more is refused with 503.
   * @defaultValue 100
   */
  readonly maxPending?: number | undefined;
  /**
   * How long an upgrade may wait for `authenticate`. After that it is refused with 503.
   * @defaultValue 10000
   */
  readonly pendingTimeout?: number | undefined;
  /**
   * The value of the Retry-After header of a 503, rounded up to whole seconds.
   * @defaultValue 5000
   */
  readonly retryAfter?: number | undefined;
  /**
   * The role of the sessions.
   * @defaultValue 'server'
   */
  readonly role?: Role | undefined;
  /**
   * Options of the sessions, or a function that returns the options for one client, for example with a `WindowBudget` for each tenant. An error
   * that it throws is an uncaught exception, as in any event listener, and closes the WebSocket.
   */
  readonly yamux?: SessionOptions | ByIdentity<Identity, SessionOptions> | undefined;
  /**
   * Options of the byte streams below the sessions, or a function as for `yamux`, for example with a `MessageBudget` for each tenant. If either
   * is a function, messages above 16 MiB + 64 KiB are refused, whatever it returns.
   */
  readonly stream?: CarriedStreamOptions | ByIdentity<Identity, CarriedStreamOptions> | undefined;
  /** Options passed to `new WebSocketServer()` of `ws`, in preference to `recommendedWsOptions()`. */
  readonly ws?: Readonly<Record<string, unknown>> | undefined;
}

/** Returns the options for the session or byte stream of one client. */
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
    if (instead !== undefined) throw new TypeError(`Expected ws without ${name}: ${instead}`);
  }
}

/** Options of WebSocketServer that conflict with acceptUpgrades(). */
const WS_OPTIONS_IN_OTHER_PLACES: Readonly<Record<string, string>> = {
  port: 'the HTTP server listens',
  host: 'the HTTP server listens',
  backlog: 'the HTTP server listens',
  server: 'the HTTP server is the first argument',
  noServer: 'the HTTP server is the first argument',
  path: 'pass path to acceptUpgrades()',
  clientTracking: 'onSession gets every session',
  handleProtocols: 'pass subprotocols to acceptUpgrades()',
  verifyClient: 'authenticate does this',
};
