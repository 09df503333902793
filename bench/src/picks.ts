// Measures one picker with one number of sessions, once: node picks.js group picker sessions. Prints the nanoseconds of one operation.
import { groups } from './balancer/index.ts';

const WARM_UP_MS = 150;
const ROUND_MS = 250;

const [groupName, pickerName, sessions] = process.argv.slice(2);
const picker = groups.find(({ name }) => name === groupName)?.pickers.find(({ name }) => name === pickerName);
if (picker === undefined) throw new Error(`Expected a group and a picker, got ${groupName} and ${pickerName}`);
const run = picker.make(Number(sessions));

/** Runs for the given ms, in steps that are long enough to be timed. */
async function measure(ms: number): Promise<number> {
  let times = 0;
  let step = 100;
  const start = process.hrtime.bigint();
  for (;;) {
    await run(step);
    times += step;
    const elapsed = Number(process.hrtime.bigint() - start);
    if (elapsed > ms * 1e6) return elapsed / times;
    if (elapsed < ms * 1e5) step *= 2;
  }
}

await measure(WARM_UP_MS);
const figure = await measure(ROUND_MS);
process.send?.({ figure });
process.exit();
