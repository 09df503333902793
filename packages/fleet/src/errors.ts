/**
 * What a fleet throws. Tell errors by `code`: two copies of a package (ESM beside CommonJS) have two sets of classes.
 */
export type FleetErrorCode =
  | 'ERR_YAMUX_FLEET_NOT_HERE'
  | 'ERR_YAMUX_FLEET_GONE'
  | 'ERR_YAMUX_FLEET_REFUSED'
  | 'ERR_YAMUX_FLEET_UNREACHABLE'
  | 'ERR_YAMUX_FLEET_DIRECTORY'
  | 'ERR_YAMUX_FLEET_PEER_REJECTED'
  | 'ERR_YAMUX_FLEET_PEER_PROTOCOL'
  | 'ERR_YAMUX_FLEET_CLOSED';

/** Of a {@link FleetError}. */
export interface FleetErrorOptions extends ErrorOptions {
  /** How far it reaches; `'stream'` where nothing is given. */
  readonly scope?: 'stream' | 'session' | undefined;
  /** No agent has seen the stream. */
  readonly refused?: boolean | undefined;
}

/** Everything that a fleet itself throws, and ends streams with. What the own pool rejects with comes through as it is. */
export class FleetError extends Error {
  override readonly name: string = 'FleetError';
  /** What happened. */
  readonly code: FleetErrorCode;
  /** How far it reaches: one stream, or all that go over the same link. */
  readonly scope: 'stream' | 'session';
  /** True when no agent has seen the stream, so that trying again is safe. */
  readonly refused: boolean;

  constructor(code: FleetErrorCode, message: string, options: FleetErrorOptions = {}) {
    const { scope = 'stream', refused = false, cause } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.scope = scope;
    this.refused = refused;
  }
}
