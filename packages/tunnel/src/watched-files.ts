// Files that are read again when they have changed. They are looked at, so that it makes no difference how they are put there: written, renamed,
// or behind a symbolic link that moves.
import { unwatchFile, watchFile } from 'node:fs';

/** How often a file is looked at, in milliseconds. */
const LOOK = 1_000;

/** Calls `changed` whenever one of the files has changed, or has gone; returns what ends that. Keeps no process alive. */
export function watchFiles(files: readonly string[], changed: () => void): () => void {
  const listener = (): void => changed(); // a function of its own: unwatchFile() takes all of one away
  for (const file of files) watchFile(file, { interval: LOOK, persistent: false }, listener);
  return () => {
    for (const file of files) unwatchFile(file, listener);
  };
}
