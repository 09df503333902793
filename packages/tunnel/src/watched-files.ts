// The content of files, read again after a change. The files are polled, so it does not matter how they change: written, renamed, or behind a symbolic
// link that moves.
import { unwatchFile, watchFile } from 'node:fs';

/** Milliseconds between two checks of a file. */
const LOOK = 1_000;

/** Keeps no process alive. */
export class WatchedFiles<T> {
  readonly #files: readonly string[];
  readonly #read: () => T;
  readonly #look = (): void => this.reload(); // a separate function, because unwatchFile() removes every use of a function
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

  /** Calls `onChange` after the files were read again, and `onError` if they cannot be read: the last content stays in use. One of each only. */
  watch(onChange: (value: T) => void, onError: (error: Error) => void): void {
    this.#onChange = onChange;
    this.#onError = onError;
  }

  /** Reads the files again now. Without a call this happens within a second of a change, also after a removal. */
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
