// Catches uncaught exceptions. The test runner listens for them too, and would fail the file.
import { once } from 'node:events';

/** Returns the uncaught exception that `act` causes, and the result of `act`. */
export async function uncaughtBy<T>(act: () => Promise<T>): Promise<{ readonly heard: unknown[]; readonly result: T }> {
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  try {
    const uncaught = once(process, 'uncaughtException');
    const result = await act();
    return { heard: await uncaught, result };
  } finally {
    for (const listener of others) process.on('uncaughtException', listener);
  }
}
