// The GoAway frames of both directions.

import { WaitingLine } from './waiting-line.ts';

export class GoAway {
  readonly #line = new WaitingLine<void>();
  #isSent = false;
  #isKnown = false;
  #received: number | undefined;

  get isSent(): boolean {
    return this.#isSent;
  }

  /** The peer has read our GoAway: a SYN that comes now violates it. Earlier SYNs may have crossed it. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The code of the peer's last GoAway. */
  get received(): number | undefined {
    return this.#received;
  }

  send(): void {
    this.#isSent = true;
  }

  /** The peer knows, or the session has ended: ends the wait. */
  settle(): void {
    this.#isKnown = true;
    this.#line.serveAll();
  }

  untilKnown(): Promise<void> {
    return this.#isKnown ? Promise.resolve() : this.#line.wait();
  }

  receive(code: number): void {
    this.#received = code;
  }
}
