// One wire stream between a session and a Duplex that do what the test says, and that write down what they are told.

import { CreditWait } from '../../src/stream/credit-wait.ts';
import type { StreamFace, StreamPort } from '../../src/stream/stream-port.ts';
import { WindowBudget } from '../../src/stream/window-budget.ts';
import { type Direction, WireStream } from '../../src/stream/wire-stream.ts';
import { ManualClock } from './manual-clock.ts';

export const WINDOW = 262_144;
/** ms. */
export const HALF_CLOSE_TIMEOUT = 60_000;

/** The bytes from `from` to `to` of all that arrive, by their numbers: so that a lost, doubled or moved one is seen. */
export function numbered(from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  for (let at = from; at < to; at += 1) bytes[at - from] = at % 251;
  return bytes;
}

export interface WireSceneOptions {
  readonly direction?: Direction;
  /** 0 is a stream that is not opened yet. */
  readonly id?: number;
  /** Without a round trip the window stays as it is. */
  readonly roundTrip?: number;
  readonly budget?: number;
  readonly halfCloseTimeout?: number;
  /** Without one the stream waits in the backlog. */
  readonly hasFace?: boolean;
}

export class WireScene implements StreamFace {
  readonly clock: ManualClock = new ManualClock();
  readonly budget: WindowBudget;
  readonly wire: WireStream;
  /** What the session was told and asked for, in order: 'credit +131072', 'RST 0', 'ended', … */
  readonly said: string[] = [];
  /** What the Duplex was told, in order: 'deliver 5', 'arrived', 'failed ERR_YAMUX_STREAM_RESET', … */
  readonly told: string[] = [];
  /** What the Duplex was given. */
  readonly delivered: Buffer[] = [];
  roundTrip: number | undefined;
  isFlowing = false;
  hasPausedReader = false;
  bytesTaken = 0;
  /** How often payload moved. */
  moves = 0;
  granted = 0;
  received = 0;

  constructor(options: WireSceneOptions = {}) {
    const {
      direction = 'outbound',
      id = 1,
      budget = 0,
      halfCloseTimeout = HALF_CLOSE_TIMEOUT,
      hasFace = true,
    } = options;
    this.roundTrip = options.roundTrip;
    this.budget = new WindowBudget(budget);
    const port: StreamPort = {
      clock: this.clock,
      halfCloseTimeout,
      maxStreamWindow: 4 * WINDOW,
      windowBudget: this.budget,
      creditWait: new CreditWait(this.clock),
      roundTrip: () => this.roundTrip,
      measureRoundTrip: () => this.said.push('measure'),
      sendCredit: (_stream, delta) => {
        this.granted += delta;
        this.said.push(`credit +${delta}`);
      },
      sendReset: (_stream, errorCode) => this.said.push(`RST ${errorCode}`),
      wantsTurn: () => this.said.push('wants turn'),
      readUntil: () => this.bytesTaken,
      handedOver: () => this.handedOver(),
      acknowledged: () => this.said.push('acknowledged'),
      rapidlyReset: () => this.said.push('rapidly reset'),
      ended: () => this.said.push('ended'),
      released: () => this.said.push('released'),
    };
    this.wire = new WireStream(port, direction);
    this.wire.id = id;
    if (hasFace) this.wire.attach(this);
  }

  /** A turn has sent the last of what was written. */
  allSent(): void {}

  /** The stream says that nothing of it waits here. */
  handedOver(): void {
    this.said.push('handed over');
  }

  // What the peer does.

  /** The next `bytes` arrive, numbered, as a slice of memory `share` times as large. */
  receive(bytes: number, share = 1): Buffer {
    const slice = Buffer.allocUnsafeSlow(bytes * share).subarray(0, bytes);
    numbered(this.received, this.received + bytes).copy(slice);
    if (!this.wire.window.announce(bytes)) throw new Error('the test sends more than the window');
    this.received += bytes;
    this.wire.receiveData(slice);
    return slice;
  }

  // What the session does.

  /** The stream has its turn, as often as it has something to send; each time up to `max` bytes of payload are copied. Returns the frames. */
  giveTurns(max = 32_768): string[] {
    const { wire } = this;
    const frames: string[] = [];
    while (wire.sendableBytes > 0 || wire.isFinDue || wire.isResetDue) {
      const payload = Buffer.alloc(Math.min(wire.sendableBytes, max));
      if (payload.length > 0) {
        const sent = wire.sendQueue.copyInto(payload, 0, payload.length, Number.POSITIVE_INFINITY);
        frames.push(sent <= 16 ? `DATA ${payload}` : `DATA ${sent} bytes`);
        wire.sent(sent);
      }
      if (wire.isFinDue) {
        frames.push('FIN');
        wire.finHandedOver();
      } else if (wire.isResetDue) {
        frames.push('RST');
        wire.sendWantedReset();
      }
      if (payload.length > 0 && wire.sendQueue.length === 0) this.allSent();
    }
    return frames;
  }

  // What the application does.

  /** Takes `pieces` of what waits, all without a number. */
  take(pieces: number = Number.POSITIVE_INFINITY): Buffer {
    const taken: Buffer[] = [];
    while (taken.length < pieces) {
      const chunk = this.wire.take();
      if (chunk === undefined) break;
      taken.push(chunk);
    }
    return Buffer.concat(taken);
  }

  // The Duplex.

  deliver(slice: Buffer): void {
    this.delivered.push(slice);
    this.told.push(`deliver ${slice.length}`);
  }

  arrived(): void {
    this.told.push('arrived');
  }

  moved(): void {
    this.moves += 1;
  }

  written(isTaken: boolean): void {
    this.told.push(`written ${isTaken}`);
  }

  finished(): void {
    this.told.push('finished');
  }

  answered(): void {
    this.told.push('answered');
  }

  failed(error: Error): void {
    this.told.push(`failed ${(error as { code?: string }).code ?? error.message}`);
  }

  gaveUp(error: Error): void {
    this.told.push(`gave up ${(error as { code?: string }).code ?? error.message}`);
  }
}
