// Loads each entry named on the command line as an ES module and as CommonJS, and compares what they export.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const names = process.argv.slice(2);
for (const name of names) {
  const esm = Object.keys(await import(name)).sort();
  const cjs = Object.keys(require(name)).sort();
  if (esm.length === 0) throw new Error(`${name} exports nothing`);
  if (String(esm) !== String(cjs)) throw new Error(`${name} exports ${esm} as ESM and ${cjs} as CommonJS`);
}
console.log(`imports: ${names.join(', ')}, Node ${process.version}`);
