// The limit of the memory for windows beyond the first 256 KiB of each stream, shared by all sessions that use the same object.

/**
 * Limits the growth of the receive windows of all streams beyond their initial 256 KiB. Several sessions may share one budget, so that a
 * gateway has one limit for all its tunnels.
 */
export class WindowBudget {
  /** Bytes. */
  readonly size: number;
  #used = 0;

  /**
   * A budget of `size` bytes; Infinity sets no limit.
   *
   * @throws {RangeError} if `size` is not a whole number of at least 0, or Infinity.
   */
  constructor(size: number) {
    if (!(Number.isInteger(size) || size === Number.POSITIVE_INFINITY) || size < 0) {
      throw new RangeError(`Expected the size of a WindowBudget to be a whole number of at least 0, got ${size}`);
    }
    this.size = size;
  }

  /** Bytes granted and not yet returned. */
  get used(): number {
    return this.#used;
  }

  /** @internal Takes up to `bytes`, and returns how many. */
  take(bytes: number): number {
    const taken = Math.min(bytes, this.size - this.#used);
    this.#used += taken;
    return taken;
  }

  /** @internal */
  giveBack(bytes: number): void {
    this.#used -= bytes;
  }
}
