// Spreads the links of an agent over several gateways: each link goes to a different gateway. A gateway of a fleet serves the agents of all gateways, so a
// connection to every one would only cost ports, and cause a herd of dials after each restart.

/** The error for a gateway that another link of the agent uses already. */
export class GatewayTakenError extends Error {
  constructor(url: string) {
    super(`another connection of this agent goes to ${url}`);
  }
}

export class Spread {
  readonly #urls: readonly string[];
  /** By link, where it goes. */
  readonly #taken = new Map<object, string>();

  /** `random`: from 0 to below 1, so that not all agents begin with the same gateway. */
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
