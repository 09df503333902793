// Runs each example as a child process, and compares its output with its README line by line.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { run } from './program.ts';
import { commandsOf } from './readme.ts';

const examples = fileURLToPath(new URL('..', import.meta.url));
const names = readdirSync(examples).filter((name) => existsSync(`${examples}/${name}/src/main.ts`));
const read = (path: string): string => readFileSync(`${examples}/${path}`, 'utf8');

describe.each(names)('%s', (name) => {
  const [first, ...more] = commandsOf(read(`${name}/README.md`));

  it('is in the table of the examples, and can be started in its own folder', () => {
    expect(first?.name).toBe(name);
    expect(read('README.md')).toContain(`[${name}](${name})`);
    expect(JSON.parse(read(`${name}/package.json`)).scripts.start).toBe(
      'node --conditions=@zishuo/source --import tsx src/main.ts',
    );
  });

  it.each(first === undefined ? [] : [first, ...more])(
    'prints what its README shows for `$name` with $args',
    async ({ args, output, exitCode }) => {
      const { code, out, err } = await run([name, ...args]);
      const skipped = name === 'talk-to-go' && /^skipped: .*\n$/s.exec(out)?.[0];
      expect({ code, out, err }).toEqual({ code: exitCode, out: skipped || `${output}\n`, err: '' });
      if (skipped) console.warn(skipped.trim());
    },
  );
});

it('pnpm example without a name lists the examples', async () => {
  const { code, err } = await run([]);
  expect(code).toBe(2);
  for (const name of names) expect(err).toContain(name);
});
