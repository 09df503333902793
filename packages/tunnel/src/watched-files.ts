// What is in files, read again when they have changed. The files are looked at, so that it makes no difference how they are put there: written,
// renamed, or behind a symbolic link that moves.
import { unwatchFile, watchFile } from 'node:fs';

/** How often a file is looked at, in milliseconds. */
const LOOK = 1_000;

/** Keeps no process alive. */
export class WatchedFiles<T> {
  readonly #files: readonly string[];
  readonly #read: () => T;
  readonly #look = (): void => this.reload(); // a function of its own: unwatchFile() takes all of one away
  #current: T;
  #onChange: (value: T) => void = () => {};
  #onError: (error: Error) => void = () => {};

  /** @throws what `read` throws for the files as they are. */
  constructor(files: readonly string[], read: () => T) {
    this.#files = files;
    this.#read = read;
    this.#current = read();
    for (const file of files) watchFile(file, { interval: LOOK, persistent: false }, this.#look);
  }

  /** What was read last. */
  get current(): T {
    return this.#current;
  }

  /** Calls `onChange` when the files were read again, and `onError` where they cannot be: what they had stays. There is one of each. */
  watch(onChange: (value: T) => void, onError: (error: Error) => void): void {
    this.#onChange = onChange;
    this.#onError = onError;
  }

  /** Reads the files again now; by itself that happens within a second of a change, or when one has gone. */
  reload(): void {
    let next: T;
    try {
      next = this.#read();
    } catch (error) {
      this.#onError(error as Error);
      return;
    }
    this.#current = next;
    this.#onChange(next);
  }

  /** Lets go of the files. */
  close(): void {
    for (const file of this.#files) unwatchFile(file, this.#look);
  }
}
