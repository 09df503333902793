// Parses the --help of a program of the tunnel: flags, descriptions and defaults.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './pages.ts';

export interface Flag {
  /** The flag with its value: `--port <number>`. */
  readonly flag: string;
  readonly what: string;
  /** Empty if there is none. */
  readonly byDefault: string;
}

export interface Help {
  /** The flags by the heading above them; '' for those without one. */
  readonly groups: ReadonlyMap<string, readonly Flag[]>;
  /** The text after `Environment:`. */
  readonly environment: string;
}

export type Program = 'gateway' | 'agent';

/** Where the help of a program has the flags of a fleet. */
const FLEET_PLACE = /\$\{FLEET_HELP\}/;

/** With the flags of a fleet, which have a file of their own. */
export const sourceOf = (program: Program): string => {
  const fleet = fileOf('fleet-flags');
  const [, help = ''] = /const FLEET_HELP = `([^`]*)`/.exec(fleet) ?? [];
  const source = fileOf(program);
  return FLEET_PLACE.test(source) ? source.replace(FLEET_PLACE, () => help) + fleet : source;
};

function fileOf(name: string): string {
  return readFileSync(join(root, `packages/tunnel/src/${name}.ts`), 'utf8');
}

export function helpOf(program: Program): Help {
  const [, help = ''] = /const HELP = `([^`]*)`/.exec(sourceOf(program)) ?? [];
  const [flags = '', environment = ''] = help.split('\nEnvironment: ');
  const groups = new Map<string, Flag[]>();
  let group: Flag[] = [];
  let title = '';
  for (const line of flags.split('\n').slice(2)) {
    const [, flag, said = ''] = /^ {2,6}(--\S+(?: \S+)?)(?: {2,}(.*))?$/.exec(line) ?? [];
    const last = group.at(-1);
    if (flag !== undefined) {
      if (group.length === 0) groups.set(title, group);
      group.push(withDefault(flag, '', said));
    } else if (/^ {7,}/.test(line) && last !== undefined) {
      group[group.length - 1] = withDefault(last.flag, last.what, line, last.byDefault);
    } else if (/^\S.*:$/.test(line)) {
      title = line.slice(0, -1);
      group = [];
    }
  }
  return { groups, environment: environment.replaceAll('\n', ' ').trim() };
}

function withDefault(flag: string, before: string, line: string, known = ''): Flag {
  const [, said = '', byDefault = known] = /^(.*?)(?:(?:^|\s{2,})\(([^()]*)\))?$/.exec(line.trim()) ?? [];
  return { flag, what: `${before} ${said}`.trim(), byDefault };
}

/** All groups as Markdown tables. */
export function flagTables(program: Program): string {
  return Array.from(helpOf(program).groups, ([title, flags]) => {
    const rows = flags
      .filter(({ flag }) => flag !== '--help')
      .map(({ flag, what, byDefault }) => {
        return `| \`${flag}\` | ${byDefault === '' ? '' : `\`${byDefault}\``} | ${escaped(what)} |`;
      });
    const table = ['| flag | default | what |', '| --- | --- | --- |', ...rows].join('\n');
    return title === '' ? table : `${title}:\n\n${table}`;
  }).join('\n\n');
}

/** Escapes pointed brackets, which would be tags. */
function escaped(text: string): string {
  return text.replaceAll('<', '\\<').replaceAll('|', '\\|');
}
