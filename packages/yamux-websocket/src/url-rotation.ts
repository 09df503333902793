// The URLs of a Reconnector, in turn. One URL that refuses ends nothing: it is left out, and the others are dialed on.

/** Where the next attempt goes. */
export interface Turn {
  readonly url: string;
  /** This URL refused the last time, or the attempt before was refused: new credentials are wanted. */
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

  /** The URL whose turn it is; undefined when all are left out. */
  get upcoming(): string | undefined {
    for (let step = 0; step < this.#urls.length; step += 1) {
      const url = this.#urls[(this.#index + step) % this.#urls.length] as string;
      if (!this.#leftOut.has(url)) return url;
    }
    return undefined;
  }

  /** Undefined when all are left out. */
  take(): Turn | undefined {
    const url = this.upcoming;
    if (url === undefined) return undefined;
    while (this.#urls[this.#index] !== url) this.#advance();
    this.#advance();
    const fresh = this.#justRefused || this.#refused.has(url);
    this.#justRefused = false;
    return { url, fresh };
  }

  /** Dialed once more with fresh credentials; left out if they were `fresh` already. */
  refused(url: string, fresh: boolean): void {
    if (fresh) this.#leftOut.add(url);
    this.#refused.add(url);
    this.#justRefused = true;
  }

  /** Not dialed any more. */
  leaveOut(url: string): void {
    this.#leftOut.add(url);
  }

  /** A session has lived: what was refused before it may be taken now, at every URL. */
  forgive(): void {
    this.#refused.clear();
    this.#leftOut.clear();
    this.#justRefused = false;
  }

  #advance(): void {
    this.#index = (this.#index + 1) % this.#urls.length;
  }
}
