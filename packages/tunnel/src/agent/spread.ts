// To which of several gateways the links of an agent go: each to another one. A gateway of a fleet serves the agents of all, so that a connection to every
// one of them would only cost ports and a herd after each restart.

/** A gateway to which another link of the agent goes already. */
export class GatewayTakenError extends Error {
  constructor(url: string) {
    super(`another connection of this agent goes to ${url}`);
  }
}

export class Spread {
  readonly #urls: readonly string[];
  /** By link, where it goes. */
  readonly #taken = new Map<object, string>();

  /** `random`: at least 0 and below 1, so that not all agents begin at the same gateway. */
  constructor(urls: readonly string[], random: () => number) {
    const first = Math.floor(random() * urls.length);
    this.#urls = [...urls.slice(first), ...urls.slice(0, first)];
  }

  /** All gateways, in the order in which the link of that number dials them. */
  from(number: number): readonly string[] {
    const first = number % this.#urls.length;
    return [...this.#urls.slice(first), ...this.#urls.slice(0, first)];
  }

  /** @throws GatewayTakenError */
  take(link: object, url: string): void {
    for (const [other, taken] of this.#taken) if (other !== link && taken === url) throw new GatewayTakenError(url);
    this.#taken.set(link, url);
  }

  leave(link: object): void {
    this.#taken.delete(link);
  }
}
