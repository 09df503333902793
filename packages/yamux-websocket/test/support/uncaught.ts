// What nobody catches. The test runner listens for it too, and would blame the file.
import { once } from 'node:events';

/** What the process hears of the exception that `act` causes, and what `act` comes to. */
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
