// When something hangs. Everything of these tests is in one process and on loopback, so that it is not a time that tells but stillness:
// so many turns of the event loop in which no socket of the test had anything to say. A process that gets no processor has no turns.
import { setTimeout as sleep } from 'node:timers/promises';

/** Turns of at least 5 ms each. */
const STILL = 400;

export class Activity {
  #count = 0;

  /** A socket said something. */
  note(): void {
    this.#count += 1;
  }

  /** False if nothing more happens before `promise` settles. */
  async outlasts(promise: Promise<unknown>): Promise<boolean> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    promise.then(over, over);
    await Promise.race([promise.catch(() => {}), this.#stillness(() => isOver)]);
    return isOver;
  }

  /** Waits until `condition` holds; false if nothing more happens before it does. */
  async until(condition: () => boolean): Promise<boolean> {
    await this.#stillness(condition);
    return condition();
  }

  async #stillness(isOver: () => boolean): Promise<void> {
    let seen = this.#count;
    for (let turns = 0, wait = 0; turns < STILL && !isOver(); turns += 1) {
      await sleep(wait);
      wait = Math.min(wait + 1, 5);
      if (seen !== this.#count) turns = 0;
      seen = this.#count;
    }
  }
}
