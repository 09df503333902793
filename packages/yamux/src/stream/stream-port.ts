// What a wire stream needs of its session below and of its Duplex above: it knows the two through these alone.

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
  /** Measures it once more, unless that is being done. */
  measureRoundTrip(): void;
  sendCredit(stream: WireStream, delta: number): void;
  sendReset(stream: WireStream, errorCode: number): void;
  /** The stream has a frame to send: it gets its turn. */
  wantsTurn(stream: WireStream): void;
  /** Up to here in the bytes of the session, the transport reads from nobody's memory any more. */
  readUntil(): number;
  /** Nothing of it waits here any more: `face.written()` when the transport has taken it. */
  handedOver(stream: WireStream): void;
  /** The peer's first frame on a stream that we opened. */
  acknowledged(stream: WireStream): void;
  /** The peer reset a stream of its own on which we had written nothing. */
  rapidlyReset(): void;
  /** Nothing more goes over the wire in either direction. */
  ended(stream: WireStream): void;
  /** The application holds nothing of it any more. */
  released(stream: WireStream): void;
}

/** The Duplex. What its listeners throw must not come out of these calls. */
export interface StreamFace {
  /** Whether payload can go to the application now, ahead of nothing that waits. */
  readonly isFlowing: boolean;
  /** Nobody reads for now: what is taken says nothing of how fast the path is. */
  readonly hasPausedReader: boolean;
  /** Payload for an application that `isFlowing`. */
  deliver(slice: Buffer): void;
  /** Bytes wait in the wire stream, or the input is whole. */
  arrived(): void;
  /** Payload moved in either direction. */
  moved(): void;
  /** What was written is not read from the writer's memory any more: the transport has taken it, or never will. */
  written(isTaken: boolean): void;
  /** The FIN was handed over. */
  finished(): void;
  /** The peer has answered. */
  answered(): void;
  /** It is over: reset, refused, or without its session. What is whole may still be read. */
  failed(error: Error): void;
  /** Nobody read the rest in time. */
  gaveUp(error: Error): void;
}
