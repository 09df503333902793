// Finds the commands on the pages: `pnpm <script> …` and `npx pnpm@<version> <script> …`, in code blocks and inline code.

import type { Page } from './pages.ts';

export interface Command {
  readonly page: string;
  /** The version of pnpm, if the command has one. */
  readonly version: string | undefined;
  readonly script: string;
  readonly flags: readonly string[];
}

const COMMAND = /\bpnpm(?:@(?<version>[\d.]+))? (?:run )?(?<script>[a-z][\w:-]*)(?<rest>[^\n`]*)/g;

export function commandsOf({ path, blocks, prose }: Page): Command[] {
  const shell = blocks.filter(({ language }) => ['sh', 'console'].includes(language)).map(({ code }) => code);
  const inline = Array.from(prose.matchAll(/`([^`\n]+)`/g), ([, code]) => code as string);
  const indented = Array.from(prose.matchAll(/^ {4}(.+)$/gm), ([, code]) => code as string);
  const withoutComments = [...shell, ...inline, ...indented].map((code) => code.replace(/(^|\s)#.*$/gm, ''));
  return withoutComments.flatMap((code) =>
    Array.from(code.matchAll(COMMAND), ({ groups = {} }) => {
      const { version, script = '', rest = '' } = groups;
      const flags = Array.from(rest.matchAll(/(?<=\s)--[a-z][\w-]*/g), ([flag]) => flag);
      return { page: path, version, script, flags };
    }),
  );
}
