// In processes of their own: what else lives in this one would be counted as well.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const KIB = /(\d+)(?:\.\d+)? KiB of JavaScript/;

test('a thousand idle sessions cost the memory that the README tells, each', async () => {
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
