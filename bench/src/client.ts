// The client process: one connection, loaded for the time in each message.

import { begin, tell } from './child.ts';
import type { Implementation } from './implementation.ts';

const { contender, benchCase, port } = begin((ms) => void load(ms));
const connection = (contender as Implementation).connect(port);

/** A rejection becomes an uncaught exception, and so the outcome. */
async function load(ms: number): Promise<void> {
  tell({ figures: await benchCase.drive(await connection, ms) });
}
