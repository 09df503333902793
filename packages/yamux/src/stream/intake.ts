// What arrived on one stream, on its way into the Readable: keeps small payloads compact while they wait, and knows how much the
// application has taken. `_read()` can't tell that (and deadlocks when the highWaterMark reaches the window), so it is counted:
// consumed = received - what is still to be read.

import type { Readable } from 'node:stream';
import { ReceiveWindow } from './receive-window.ts';
import type { StreamPort } from './stream-port.ts';
import { copyOf, isSmallPart, UnreadSlab } from './unread-slab.ts';

/** A UTF-16 unit, in which a stream with an encoding counts, stands for at most three bytes (a surrogate pair for four). */
const MAX_BYTES_PER_UNIT = 3;

type IntakePort = Pick<StreamPort, 'clock' | 'roundTrip' | 'measureRoundTrip' | 'maxStreamWindow' | 'windowBudget'>;

export class Intake {
  readonly window: ReceiveWindow;
  readonly #port: IntakePort;
  readonly #readable: Readable;
  readonly #slab = new UnreadSlab();
  #received = 0;
  #consumed = 0;
  #willTell = false;

  constructor(readable: Readable, port: IntakePort) {
    this.#port = port;
    this.window = new ReceiveWindow(port.clock.now());
    this.#readable = readable;
  }

  /** Bytes of payload received. */
  get received(): number {
    return this.#received;
  }

  deliver(slice: Buffer): void {
    this.#received += slice.length;
    const mustWait = this.#readable.readableFlowing !== true || this.#readable.readableLength > 0;
    if (mustWait && isSmallPart(slice)) {
      this.#keepSmall(slice);
    } else {
      this.flush();
      this.#readable.push(slice);
    }
  }

  #keepSmall(slice: Buffer): void {
    // The first one goes into the Readable, so that 'readable' comes out; those behind it wait in the slab for the next read().
    if (this.#readable.readableLength === 0) {
      this.#readable.push(copyOf(slice));
      return;
    }
    if (!this.#slab.append(slice)) {
      this.flush();
      if (!this.#slab.append(slice)) this.#readable.push(copyOf(slice));
    }
    // Who listens for 'readable' may have left what there was because it was not enough, and waits to be told of more.
    if (this.#readable.listenerCount('readable') > 0) this.#tellThisTick();
  }

  #tellThisTick(): void {
    if (this.#willTell) return;
    this.#willTell = true;
    process.nextTick(() => {
      this.#willTell = false;
      if (this.#slab.length > 0 && !this.#readable.destroyed) this.#readable.emit('readable');
    });
  }

  /** Somebody reads `size` bytes, or all there is: what waits in the slab is handed over if it makes up the number. */
  beforeRead(size: number | undefined): void {
    const outside = this.#readable.readableLength - this.#slab.length;
    if (size === undefined || (size > outside && size <= this.#readable.readableLength)) this.flush();
  }

  /** Bytes that the application has not taken; with an encoding never less than that. */
  get #unread(): number {
    const decoded = this.#readable.readableEncoding !== null;
    return decoded ? this.#readable.readableLength * MAX_BYTES_PER_UNIT : this.#readable.readableLength;
  }

  /** Bytes that wait in the slab: part of the stream's readableLength, though the Readable does not have them yet. */
  get kept(): number {
    return this.#slab.length;
  }

  /** Hands over what waits in the slab. */
  flush(): void {
    const kept = this.#slab.take();
    if (kept) this.#readable.push(kept);
  }

  /** Looks at what the application has taken. Returns the credit to give back now, often 0. */
  settle(): number {
    const consumed = this.#received - this.#unread;
    if (consumed <= this.#consumed) return 0;
    this.window.consume(consumed - this.#consumed);
    this.#consumed = consumed;
    if (!this.window.isGrantDue) return 0;
    const change = this.#measure();
    const { windowBudget } = this.#port;
    if (change < 0) windowBudget.giveBack(this.window.shrink(-change));
    const granted = this.window.grant();
    return change > 0 ? granted + this.window.grow(windowBudget.take(change)) : granted;
  }

  /** Measures the stream, and says by how many bytes its window should grow, or shrink if less than 0. */
  #measure(): number {
    const roundTrip = this.#port.roundTrip();
    const isPaused = this.#readable.readableFlowing === false && this.#readable.listenerCount('readable') === 0;
    if (roundTrip === undefined || isPaused || !this.window.measure(this.#port.clock.now(), roundTrip)) return 0;
    this.#port.measureRoundTrip(); // of a path that is in use; the more there are, the nearer the least comes to the truth
    return this.window.changeWanted(roundTrip, this.#port.maxStreamWindow);
  }

  /** Nobody will read it: `arriving` more bytes and all that waits count as taken. Returns the credit to give back now. */
  drop(arriving = 0): number {
    this.#received += arriving;
    this.#slab.take();
    this.window.consume(this.#received - this.#consumed);
    this.#consumed = this.#received;
    if (arriving > 0 && !this.window.isGrantDue) return 0;
    return this.window.grantAll();
  }

  /** The stream is over: others may have its share of the budget. */
  release(): void {
    this.#port.windowBudget.giveBack(this.window.growth);
  }
}
