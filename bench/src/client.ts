// The other measured process: one connection, loaded for as many ms as each message says.

import { begin, tell } from './child.ts';

const { implementation, benchCase, numbers } = begin();
const connection = implementation.connect(numbers[0] ?? Number.NaN);

process.on('message', (ms: number) => void load(ms));

/** A rejection is an uncaught exception, and so the outcome. */
async function load(ms: number): Promise<void> {
  tell({ figure: await benchCase.drive(await connection, ms) });
}
