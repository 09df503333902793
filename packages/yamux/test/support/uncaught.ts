// What nobody catches while something runs, in the order in which it comes.

import { settle } from './duplex-pair.ts';

/** Runs `what`, lets it come to rest, and returns what the process would have died of. */
export async function uncaughtIn(what: () => unknown): Promise<unknown[]> {
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  const others = process.rawListeners('uncaughtException') as NodeJS.UncaughtExceptionListener[];
  process.removeAllListeners('uncaughtException').on('uncaughtException', note);
  try {
    await what();
    await settle();
  } finally {
    process.off('uncaughtException', note);
    for (const listener of others) process.on('uncaughtException', listener);
  }
  return uncaught;
}
