// The other measured process: one connection, loaded for as many ms as each message says.

import { begin, tell } from './child.ts';
import type { Implementation } from './implementation.ts';

const { contender, benchCase, port } = begin((ms) => void load(ms));
const connection = (contender as Implementation).connect(port);

/** A rejection is an uncaught exception, and so the outcome. */
async function load(ms: number): Promise<void> {
  tell({ figures: await benchCase.drive(await connection, ms) });
}
