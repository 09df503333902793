// The measurements of the fleet. Where a figure is compared with another, both are measured in one process, in turn.
import { cache } from './cache.ts';
import type { FleetCase } from './case.ts';
import { choice } from './choice.ts';
import { engineMemory } from './engine-memory.ts';
import { hop, hopBulk } from './hop.ts';
import { lookup } from './lookup.ts';
import { operations } from './operations.ts';

/** The name of all of them for `--only`. */
export const FLEET = 'fleet';

export const fleetCases: readonly FleetCase[] = [choice, lookup, hop, hopBulk, engineMemory, cache, operations];
