// What comes in on one stream: what waits for the application, the window for it, and the share of the budget that the window has.

import { INITIAL_WINDOW } from '../wire/constants.ts';
import { Arrivals } from './arrivals.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { StreamPort } from './stream-port.ts';

type InflowPort = Pick<StreamPort, 'clock' | 'roundTrip' | 'measureRoundTrip' | 'maxStreamWindow' | 'windowBudget'>;

export class Inflow {
  readonly window: ReceiveWindow;
  readonly #port: InflowPort;
  /** Made with the first byte that waits: most streams are read as the bytes come. */
  #arrivals: Arrivals | undefined;
  /** Bytes of the budget that the window has beyond the initial one. */
  #share = 0;
  #isOver = false;

  constructor(port: InflowPort) {
    this.#port = port;
    this.window = new ReceiveWindow(port.clock.now());
  }

  /** Bytes that arrived and that nobody has asked for. */
  get unread(): number {
    return this.#arrivals?.length ?? 0;
  }

  keep(slice: Buffer): void {
    this.#arrivals ??= new Arrivals();
    this.#arrivals.keep(slice);
  }

  /** The next piece of what waits; undefined if nothing does. `consumed()` tells what it is worth. */
  take(): Buffer | undefined {
    return this.#arrivals?.take();
  }

  /** The application has `bytes` more. Returns the credit to give back now, often 0. While its reader is paused no window grows. */
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

  /** Nobody will read it: `arriving` more bytes and all that waits count as taken. Returns the credit to give back now. */
  drop(arriving: number): number {
    this.window.consume(this.unread + arriving);
    this.#arrivals = undefined;
    return arriving > 0 && !this.window.isGrantDue ? 0 : this.window.grantAll();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#arrivals = undefined;
    this.#returnShare();
  }

  /** No more can arrive: what still waits needs its share of the budget, the rest is for others. */
  end(): void {
    this.#isOver = true;
    this.#returnShare();
  }

  /** The session is over: what waits may still be read, and is not the budget's any more. */
  leaveBudget(): void {
    this.#giveBack(this.#share);
  }

  /** Measures the stream, and says by how many bytes its window should grow, or shrink if less than 0. */
  #measure(): number {
    const roundTrip = this.#port.roundTrip();
    if (roundTrip === undefined) return 0;
    const { maxStreamWindow } = this.#port;
    const now = this.#port.clock.now();
    if (!this.window.measure(now, roundTrip)) return this.window.earlyGrowth(now, maxStreamWindow);
    this.#port.measureRoundTrip(); // of a path that is in use; the more there are, the nearer the least comes to the truth
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
