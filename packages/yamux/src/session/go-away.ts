// What was said, in either direction, about taking no more streams.

import { WaitingLine } from './waiting-line.ts';

export class GoAway {
  readonly #line = new WaitingLine<void>();
  #isSent = false;
  #isKnown = false;
  #received: number | undefined;

  get isSent(): boolean {
    return this.#isSent;
  }

  /** The peer has seen ours: a SYN that comes now is against it, one that came before had crossed it. */
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

  /** The peer knows, or there is no peer any more: nobody has to wait. */
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
