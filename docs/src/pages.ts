// Reads the pages of this repository: every Markdown file with its blocks. It finds fences and comments by line, and does not parse Markdown.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** One fenced block. */
export interface Block {
  readonly page: string;
  /** The line number of its first line of code, from 1. */
  readonly line: number;
  /** The first word after the fence. */
  readonly language: string;
  /** The words after that: `run` for code that is run, `output` for what it prints, `file=worker.ts` for a file beside it. */
  readonly marks: readonly string[];
  readonly code: string;
  /**
   * Declarations for a fragment of a program: the text of a comment `<!-- given: … -->` right before the block, which readers do not
   * see.
   */
  readonly given: string;
}

export interface Page {
  /** The path from the root of the repository. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Everything outside the blocks, line for line. */
  readonly prose: string;
}

const GIVEN = /<!-- given:\n(?<given>[\s\S]*?)\n?-->\n+$/;

export function readPage(path: string): Page {
  return parsePage(path, readFileSync(`${root}/${path}`, 'utf8'));
}

export function parsePage(path: string, text: string): Page {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let fence: { indent: string; marks: string[]; line: number; code: string[] } | undefined;
  text.split('\n').forEach((line, index) => {
    const found = /^(?<indent> *)```(?<info>.*)$/.exec(line);
    if (fence === undefined && found !== null) {
      const { indent = '', info = '' } = found.groups ?? {};
      fence = { indent, marks: info.trim().split(/\s+/), line: index + 2, code: [] };
      prose.push('');
    } else if (fence !== undefined && found?.groups?.info === '') {
      const [language = '', ...marks] = fence.marks;
      const given = GIVEN.exec(textBefore(text, fence.line - 2))?.groups?.given ?? '';
      blocks.push({ page: path, line: fence.line, language, marks, code: `${fence.code.join('\n')}\n`, given });
      fence = undefined;
      prose.push('');
    } else if (fence !== undefined) {
      fence.code.push(line.startsWith(fence.indent) ? line.slice(fence.indent.length) : line);
      prose.push('');
    } else {
      prose.push(line);
    }
  });
  if (fence !== undefined) throw new Error(`${path}:${fence.line}: a block that is not closed`);
  return { path, text, blocks, prose: prose.join('\n') };
}

/** `lines` lines. */
function textBefore(text: string, lines: number): string {
  return text
    .split('\n')
    .slice(0, lines)
    .map((line) => `${line}\n`)
    .join('');
}

/** Tracked pages and untracked ones that git does not ignore. */
export function allPages(): Page[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'];
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8' });
  return listed.split('\n').filter(Boolean).sort().map(readPage);
}

/** The anchors of a page's headings: lower case, dashes for blanks, no punctuation, `-1` for the second heading with the same name. */
export function anchorsOf({ prose }: Page): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose.matchAll(/^#{1,6} +(.+)$/gm)) {
    const plain = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .trim()
      .toLowerCase();
    const base = plain.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    let anchor = base;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${base}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}
