// The interfaces of a wire stream to its session below and to its Duplex above.

import type { Clock } from '../clock.ts';
import type { CreditWait } from './credit-wait.ts';
import type { WindowBudget } from './window-budget.ts';
import type { WireStream } from './wire-stream.ts';

/** The session. */
export interface StreamPort {
  readonly clock: Clock;
  /** ms without a byte after which a stream that we have ended is reset; 0: never. */
  readonly halfCloseTimeout: number;
  /** Bytes to which a receive window may grow. */
  readonly maxStreamWindow: number;
  readonly windowBudget: WindowBudget;
  readonly creditWait: CreditWait;
  /** ms; undefined before the first pong. */
  roundTrip(): number | undefined;
  /** Measures the round trip once more, unless a measurement is in progress. */
  measureRoundTrip(): void;
  sendCredit(stream: WireStream, delta: number): void;
  sendReset(stream: WireStream, errorCode: number): void;
  /** The stream has a frame to send: it gets its turn. */
  wantsTurn(stream: WireStream): void;
  /** The position in the bytes of the session up to which the transport no longer reads from a writer's memory. */
  readUntil(): number;
  /** Nothing of the write waits here any more. `face.written()` follows when the transport has taken it. */
  handedOver(stream: WireStream): void;
  /** The peer's first frame on a stream that we opened. */
  acknowledged(stream: WireStream): void;
  /** The peer reset a stream of its own on which we had written nothing. */
  rapidlyReset(): void;
  /** Nothing more is sent or received. */
  ended(stream: WireStream): void;
  /** The application has released the stream. */
  released(stream: WireStream): void;
}

/** The Duplex. Errors of its listeners must not come out of these calls. */
export interface StreamFace {
  /** Whether payload can go to the application now, because no earlier bytes wait. */
  readonly isFlowing: boolean;
  /** Whether the reader is paused: then the consumed bytes say nothing about the path. */
  readonly hasPausedReader: boolean;
  /** Payload for an application that `isFlowing`. */
  deliver(slice: Buffer): void;
  /** Bytes wait in the wire stream, or the input is whole. */
  arrived(): void;
  /** Payload moved in either direction. */
  moved(): void;
  /** The writer's memory is no longer read: the transport has taken the bytes, or never will. */
  written(isTaken: boolean): void;
  /** The FIN was handed over. */
  finished(): void;
  /** The peer has answered. */
  answered(): void;
  /** The stream has ended: reset, refused, or with its session. An ended input can still be read. */
  failed(error: Error): void;
  /** The rest was not read in time. */
  gaveUp(error: Error): void;
}
