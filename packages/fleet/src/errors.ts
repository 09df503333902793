/**
 * The errors of a fleet. Distinguish errors by `code`: two copies of a package (ESM and CommonJS) have two sets of classes.
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
  /** The scope of the error; `'stream'` by default. */
  readonly scope?: 'stream' | 'session' | undefined;
  /** No agent has seen the stream. */
  readonly refused?: boolean | undefined;
}

/** The error that a fleet throws, and with which it ends streams. Errors of the node's own pool are passed on unchanged. */
export class FleetError extends Error {
  override readonly name: string = 'FleetError';
  /** The kind of the error. */
  readonly code: FleetErrorCode;
  /** The scope of the error: one stream, or all streams of the same link. */
  readonly scope: 'stream' | 'session';
  /** True if no agent has seen the stream, so that a retry is safe. */
  readonly refused: boolean;

  constructor(code: FleetErrorCode, message: string, options: FleetErrorOptions = {}) {
    const { scope = 'stream', refused = false, cause } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.scope = scope;
    this.refused = refused;
  }
}
