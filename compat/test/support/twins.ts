// One fixture makes two tests: a program with a library runs over TCP and over streams, and must see the same.

import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { type Carrier, type CarrierOptions, carrierOf, type Kind } from './carrier.ts';

/** `run` returns what it saw, which must be `expected` over both carriers. An uncaught exception fails the test too. */
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
    // Errors from the end of the carrier are no longer part of the program.
    carrier.close();
    await turns();
    expect(uncaughtOfRun).toEqual([]);
    expect(seen).toEqual(expected);
  };
  test(`${title}: over TCP`, () => see('TCP'));
  test(`${title}: over streams`, () => see('streams'));
}

/** Catches uncaught exceptions until the end of the test. `first` rejects at the first one, so the program need not be waited for. */
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

/** Waits until pending callbacks of this process have run, also of loopback TCP. */
export async function turns(count = 20): Promise<void> {
  for (let done = 0; done < count; done += 1) await turn();
}

/** Waits until `condition` holds, for conditions without an event. */
export async function until(condition: () => boolean): Promise<void> {
  const over = new AbortController();
  onTestFinished(() => over.abort());
  while (!condition()) {
    over.signal.throwIfAborted();
    await turn();
  }
}
