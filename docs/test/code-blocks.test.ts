// The code on the pages compiles. Blocks marked `run` run and print what the page says.

import { describe, expect, test } from 'vitest';
import { checkTypes } from '../src/check-types.ts';
import { allPages, type Block } from '../src/pages.ts';
import { runCode } from '../src/run-code.ts';

const pages = allPages();
const blocks = pages.flatMap((page) => page.blocks);
/** Signatures on generated pages are not modules; reference.test.ts checks them. */
const code = blocks.filter(({ language, marks }) => language === 'ts' && !marks.includes('signature'));

const placeOf = ({ page, line }: Block): string => `${page}:${line}`;
const nameOf = (block: Block): string => `${placeOf(block).replace(/\W/g, '-')}.ts`;

/** Wraps the code as a module, with its given declarations on the lines before it. */
const moduleOf = ({ given, code }: Block): string => `export {};\n${given}\n${code}`;
const offsetOf = ({ given }: Block): number => given.split('\n').length + 1;

const problems = checkTypes(code.map((block) => ({ name: nameOf(block), text: moduleOf(block) })));

test.each(code.map((block) => [placeOf(block), block] as const))('%s compiles', (_place, block) => {
  const found = problems.get(nameOf(block)) ?? [];
  const atLine = (problem: string): string =>
    problem.replace(/^\d+/, (line) => `${block.page}:${Number(line) - offsetOf(block) + block.line - 1}`);
  expect(found.map(atLine)).toEqual([]);
});

test('code with a mistake does not compile', () => {
  const text = "import { client } from '@zishuo/yamux';\nclient(1);\n";
  const [problem] = checkTypes([{ name: 'mistake.ts', text }]).get('mistake.ts') ?? [];
  expect(problem).toMatch(/^2: Argument of type 'number'/);
});

describe('runs', () => {
  const programs = code.filter(({ marks }) => marks.includes('run'));
  test.each(programs.map((block) => [placeOf(block), block] as const))('%s', async (_place, block) => {
    const { exitCode, stdout, stderr } = await runCode(block.code, filesBeside(block));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const output = outputOf(block);
    if (output !== undefined) expect(stdout).toBe(output);
  });

  test('there are some', () => {
    expect(programs.length).toBeGreaterThan(0);
  });
});

test('every output belongs to a block that runs', () => {
  const outputs = blocks.filter(({ marks }) => marks.includes('output'));
  const shown = code.filter(({ marks }) => marks.includes('run')).filter((block) => outputOf(block) !== undefined);
  expect(outputs.length).toBe(shown.length);
});

/** The blocks of the page that are files: `file=worker.ts`. */
function filesBeside({ page }: Block): ReadonlyMap<string, string> {
  const named = blocks.flatMap((block) =>
    block.page === page
      ? block.marks.filter((mark) => mark.startsWith('file=')).map((mark) => [mark.slice(5), block.code] as const)
      : [],
  );
  return new Map(named);
}

/** The next block, if it is marked `output`. */
function outputOf(block: Block): string | undefined {
  const next = blocks[blocks.indexOf(block) + 1];
  return next?.page === block.page && next.marks.includes('output') ? next.code : undefined;
}

test('no block escapes these tests under another name', () => {
  const others = ['typescript', 'mts', 'cts', 'tsx', 'bash', 'zsh', 'shell'];
  expect(blocks.filter(({ language }) => others.includes(language)).map(placeOf)).toEqual([]);
});
