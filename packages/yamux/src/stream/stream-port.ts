// What a stream needs of its session: the two know each other through this alone.

import type { Clock } from '../clock.ts';
import type { YamuxStream } from './stream.ts';
import type { WindowBudget } from './window-budget.ts';

export interface StreamPort {
  readonly clock: Clock;
  /** Where the addresses of the other end are read, as on a socket. */
  readonly transport: object;
  /** ms without a byte after which a half-closed stream is reset; 0: never. */
  readonly halfCloseTimeout: number;
  /** Bytes to which a receive window may grow. */
  readonly maxStreamWindow: number;
  readonly windowBudget: WindowBudget;
  /** ms; undefined before the first pong. */
  roundTrip(): number | undefined;
  /** Measures it once more, unless that is being done. */
  measureRoundTrip(): void;
  sendCredit(stream: YamuxStream, delta: number): void;
  sendReset(stream: YamuxStream, errorCode: number): void;
  /** The stream has a frame to send: it gets its turn. */
  wantsTurn(stream: YamuxStream): void;
  /** The peer's first frame on a stream that we opened. */
  acknowledged(stream: YamuxStream): void;
  /** The peer reset a stream of its own on which we had written nothing. */
  rapidlyReset(): void;
  /** The application has destroyed it, or read it to its end. */
  released(stream: YamuxStream): void;
  /** Nothing more goes over the wire in either direction. */
  ended(stream: YamuxStream): void;
}
