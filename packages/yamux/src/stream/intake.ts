// What arrived on one stream, on its way into the Readable: keeps small payloads compact while they wait, and knows how much the
// application has taken. `_read()` can't tell that (and deadlocks when the highWaterMark reaches the window), so it is counted:
// consumed = received - what is still to be read.

import type { Readable } from 'node:stream';
import { ReceiveWindow } from './receive-window.ts';
import { copyOf, isSmallPart, UnreadSlab } from './unread-slab.ts';

export class Intake {
  readonly window: ReceiveWindow = new ReceiveWindow();
  readonly #readable: Readable;
  readonly #slab = new UnreadSlab();
  #received = 0;
  #consumed = 0;

  constructor(readable: Readable) {
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
    if (this.#readable.readableLength === 0) this.#readable.push(copyOf(slice));
    else if (!this.#slab.append(slice)) {
      this.flush();
      if (!this.#slab.append(slice)) this.#readable.push(copyOf(slice));
    }
  }

  /** Hands over what waits in the slab: due before anybody reads, and before the end. */
  flush(): void {
    const kept = this.#slab.take();
    if (kept) this.#readable.push(kept);
  }

  /** Looks at what the application has taken; afterwards the window knows. */
  settle(): void {
    const consumed = this.#received - this.#readable.readableLength - this.#slab.length;
    if (consumed <= this.#consumed) return;
    this.window.consume(consumed - this.#consumed);
    this.#consumed = consumed;
  }

  /** Nobody will read it: `arriving` more bytes and all that waits count as taken. */
  drop(arriving: number): void {
    this.#received += arriving;
    this.#slab.take();
    this.window.consume(this.#received - this.#consumed);
    this.#consumed = this.#received;
  }
}
