// The URLs of a Reconnector, in turn. A URL that refuses is left out, and the others are still dialed.

/** The next attempt. */
export interface Turn {
  readonly url: string;
  /** Whether to get new credentials: this URL refused the last ones, or the last attempt was refused. */
  readonly fresh: boolean;
}

export class UrlRotation {
  readonly #urls: readonly string[];
  readonly #refused = new Set<string>();
  readonly #leftOut = new Set<string>();
  #index = 0;
  #justRefused = false;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** The next URL; undefined when all are left out. */
  get upcoming(): string | undefined {
    for (let step = 0; step < this.#urls.length; step += 1) {
      const url = this.#urls[(this.#index + step) % this.#urls.length] as string;
      if (!this.#leftOut.has(url)) return url;
    }
    return undefined;
  }

  /** Returns the next attempt and moves on; undefined when all URLs are left out. */
  take(): Turn | undefined {
    const url = this.upcoming;
    if (url === undefined) return undefined;
    while (this.#urls[this.#index] !== url) this.#advance();
    this.#advance();
    const fresh = this.#justRefused || this.#refused.has(url);
    this.#justRefused = false;
    return { url, fresh };
  }

  /** The URL refused: dial it once more with fresh credentials. If they were `fresh` already, leave it out. */
  refused(url: string, fresh: boolean): void {
    if (fresh) this.#leftOut.add(url);
    this.#refused.add(url);
    this.#justRefused = true;
  }

  /** Stops dialing this URL. */
  leaveOut(url: string): void {
    this.#leftOut.add(url);
  }

  /** Dials all URLs again, after a session that lasted: an earlier refusal may no longer hold. */
  readmitAll(): void {
    this.#refused.clear();
    this.#leftOut.clear();
    this.#justRefused = false;
  }

  #advance(): void {
    this.#index = (this.#index + 1) % this.#urls.length;
  }
}
