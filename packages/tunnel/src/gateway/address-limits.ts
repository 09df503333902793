// Counts something for each address, with a limit.

export class AddressLimits {
  readonly #max: number;
  readonly #counts = new Map<string, number>();
  /** How often one more was refused. */
  refused = 0;

  /** `max`: for each address. */
  constructor(max: number) {
    this.#max = max;
  }

  /** False if the limit is reached. Else give() must follow. */
  take(address: string): boolean {
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#max) {
      this.refused += 1;
      return false;
    }
    this.#counts.set(address, count + 1);
    return true;
  }

  give(address: string): void {
    const count = this.#counts.get(address) ?? 0;
    if (count > 1) this.#counts.set(address, count - 1);
    else this.#counts.delete(address);
  }
}
