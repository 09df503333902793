// One fixture is two tests: what a library's program sees over TCP, and that it sees the same over streams.

import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Carrier, type CarrierOptions, carrierOf, type Kind } from './carrier.ts';

/** `run` returns what it saw, which is `expected` over either carrier. An uncaught exception is a failure of its own. */
export function twins<Seen>(
  title: string,
  run: (carrier: Carrier) => Promise<Seen>,
  expected: NoInfer<Seen>,
  options: CarrierOptions = {},
): void {
  const see = async (kind: Kind): Promise<void> => {
    const uncaught = watchUncaught();
    const carrier = await carrierOf(kind, options);
    onTestFinished(() => carrier.close());
    const seen = await Promise.race([run(carrier), uncaught.first]);
    await turns();
    const uncaughtOfRun = [...uncaught.errors];
    // What comes of ending all under a library is no longer the program's.
    carrier.close();
    await turns();
    expect(uncaughtOfRun).toEqual([]);
    expect(seen).toEqual(expected);
  };
  test(`${title}: over TCP`, () => see('TCP'));
  test(`${title}: over streams`, () => see('streams'));
}

/** What nobody catches until the test is over; `first` rejects at once, and the program need not be waited for. */
function watchUncaught(): { readonly errors: readonly Error[]; readonly first: Promise<never> } {
  const errors: Error[] = [];
  let fail: (error: Error) => void;
  const first = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  first.catch(() => {});
  const note = (error: Error): void => {
    errors.push(error);
    fail(error);
  };
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    const listeners = process.rawListeners(event) as Array<(...args: unknown[]) => void>;
    process.removeAllListeners(event).on(event, note);
    onTestFinished(async () => {
      await turns();
      process.off(event, note);
      for (const listener of listeners) process.on(event, listener);
    });
  }
  return { errors, first };
}

/** Lets what is under way in this process come out, loopback TCP too. */
export async function turns(count = 20): Promise<void> {
  for (let done = 0; done < count; done += 1) await turn();
}

/** Waits until `condition` holds; for what no event tells. */
export async function until(condition: () => boolean): Promise<void> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  while (!condition()) {
    over.signal.throwIfAborted();
    await turn();
  }
}
