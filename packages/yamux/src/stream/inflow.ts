// The receiving side of one stream: the bytes that wait for the application, the window, and the window's share of the budget.

import { INITIAL_WINDOW } from '../wire/constants.ts';
import { Arrivals } from './arrivals.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { StreamPort } from './stream-port.ts';

type InflowPort = Pick<StreamPort, 'clock' | 'roundTrip' | 'measureRoundTrip' | 'maxStreamWindow' | 'windowBudget'>;

export class Inflow {
  readonly window: ReceiveWindow;
  readonly #port: InflowPort;
  /** Created with the first byte that waits: most streams are read as the bytes arrive. */
  #arrivals: Arrivals | undefined;
  /** Bytes of the budget that the window uses. */
  #share = 0;
  #isOver = false;

  constructor(port: InflowPort) {
    this.#port = port;
    this.window = new ReceiveWindow(port.clock.now());
  }

  /** Received bytes that the application has not read. */
  get unread(): number {
    return this.#arrivals?.length ?? 0;
  }

  keep(slice: Buffer): void {
    this.#arrivals ??= new Arrivals();
    this.#arrivals.keep(slice);
  }

  /** Returns the next waiting chunk; undefined if there is none. The caller reports it with `consumed()`. */
  take(): Buffer | undefined {
    return this.#arrivals?.take();
  }

  /** The application has got `bytes` more. Returns the credit to grant now, often 0. The window does not grow while the reader is paused. */
  consumed(bytes: number, isReaderPaused: boolean): number {
    this.window.consume(bytes);
    if (this.#isOver) {
      this.#returnShare();
      return 0;
    }
    if (!this.window.isGrantDue) return 0;
    const change = isReaderPaused ? 0 : this.#measure();
    if (change < 0) this.#giveBack(this.window.shrink(-change));
    const granted = this.window.grant();
    if (change <= 0) return granted;
    const growth = this.#port.windowBudget.take(change);
    this.#share += growth;
    return granted + this.window.grow(growth);
  }

  /** Nobody will read the input: drops the waiting bytes and `arriving` more. Returns the credit to grant now. */
  drop(arriving: number): number {
    this.window.consume(this.unread + arriving);
    this.#arrivals = undefined;
    return arriving > 0 && !this.window.isGrantDue ? 0 : this.window.grantAll();
  }

  /** Drops the waiting bytes. */
  clear(): void {
    this.#arrivals = undefined;
    this.#returnShare();
  }

  /** No more bytes can arrive: returns the share of the budget, except for the bytes that still wait. */
  end(): void {
    this.#isOver = true;
    this.#returnShare();
  }

  /** The session has ended: returns the whole share. Waiting bytes can still be read. */
  leaveBudget(): void {
    this.#giveBack(this.#share);
  }

  /** Measures the rate; returns the bytes by which the window should grow, or shrink if negative. */
  #measure(): number {
    const roundTrip = this.#port.roundTrip();
    if (roundTrip === undefined) return 0;
    const { maxStreamWindow } = this.#port;
    const now = this.#port.clock.now();
    if (!this.window.measure(now, roundTrip)) return this.window.earlyGrowth(now, maxStreamWindow);
    this.#port.measureRoundTrip(); // more measurements bring the shortest round trip closer to the real one
    return this.window.changeWanted(roundTrip, maxStreamWindow);
  }

  #returnShare(): void {
    if (!this.#isOver) return;
    const needed = Math.max(0, this.unread - INITIAL_WINDOW);
    if (this.#share > needed) this.#giveBack(this.#share - needed);
  }

  #giveBack(bytes: number): void {
    this.#share -= bytes;
    this.#port.windowBudget.giveBack(bytes);
  }
}
