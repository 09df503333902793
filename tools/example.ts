// `pnpm example <name>`: one of the small examples, from anywhere in the repository; without a name, which there are.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const examples: string = join(import.meta.dirname, '..', 'examples');
const programOf = (name: string): string => join(examples, name, 'src', 'main.ts');
const names: readonly string[] = readdirSync(examples).filter((name) => existsSync(programOf(name)));

const [name] = process.argv.splice(2, 1);
if (name !== undefined && names.includes(name)) {
  await import(pathToFileURL(programOf(name)).href);
} else {
  console.error(`Usage: pnpm example <name>\nExpected one of ${names.join(', ')}; got ${name ?? 'none'}`);
  process.exitCode = 2;
}
