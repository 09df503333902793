// Measures in separate processes, so that the memory of the test runner is not counted.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const KIB = /(\d+)(?:\.\d+)? KiB of JavaScript/;

test('each of a thousand idle sessions costs the memory that the README says', async () => {
  const readme = await readFile(join(import.meta.dirname, '../README.md'), 'utf8');
  const told = Number(KIB.exec(readme)?.[1]);
  const script = join(import.meta.dirname, 'measure/idle-sessions.ts');
  const args = ['--conditions=@zishuo/source', '--import', 'tsx', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toMatch(/^1000 idle sessions, each: /);
  const measured = Number(KIB.exec(stdout)?.[1]);
  expect(measured).toBeGreaterThan(told * 0.5);
  expect(measured).toBeLessThan(told * 1.5);
}, 120_000);
