// The measured process of a case of the fleet: node fleet-load.js CASE ARGUMENTS. A line on stdin is the duration of a measurement in ms, a line on
// stdout is what was measured.
import { createInterface } from 'node:readline';
import { say } from './fleet/case.ts';
import { fleetCases } from './fleet/index.ts';

process.on('uncaughtException', (error: Error) => say({ failure: error.message }));
const [name, ...args] = process.argv.slice(2);
const one = fleetCases.find((fleetCase) => fleetCase.name === name);
if (one === undefined) throw new Error(`Expected a case of the fleet, got ${name}`);
const measure = await one.begin(args);
for await (const ms of createInterface({ input: process.stdin })) say({ figures: await measure(Number(ms)) });
process.exit();
