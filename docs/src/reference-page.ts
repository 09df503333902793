// Writes one reference page: the exports of a package as Markdown.

import type { Doc, EntryPoint, Export, Member } from './exports.ts';

export interface Package {
  readonly folder: string;
  /** The path of its page. */
  readonly page: string;
  /** A description of the package in one sentence. */
  readonly intro: string;
}

const GROUPS: readonly (readonly [Export['kind'], string])[] = [
  ['function', 'Functions'],
  ['class', 'Classes'],
  ['interface', 'Options and shapes'],
  ['type', 'Types'],
  ['constant', 'Constants'],
  ['error', 'Errors'],
];

export function renderPage({ folder, page, intro }: Package, points: readonly EntryPoint[]): string {
  const [main, ...subpaths] = points;
  if (main === undefined) throw new Error(`${folder} has no entry point`);
  const links = new Links(points.flatMap(({ exports }) => exports));
  const groups = GROUPS.map(([kind, title]) => ({ title, of: byName(main.exports, kind) })).filter(
    ({ of }) => of.length > 0,
  );
  const contents = [
    ...groups.map(({ title, of }) => `- ${title}: ${of.map(({ name }) => links.to(name)).join(', ')}`),
    ...subpaths.map(
      ({ specifier, exports }) => `- \`${specifier}\`: ${exports.map(({ name }) => links.to(name)).join(', ')}`,
    ),
  ];
  const upwards = '../'.repeat(page.split('/').length - 1);
  return [
    '<!-- Made by `pnpm docs:reference` from the comments in the sources: change those. -->',
    `# ${main.specifier}`,
    `${intro} What it is for, with examples: [its README](${upwards}${folder}/README.md). All error codes: [error codes](error-codes.md).`,
    'An option that may be left out may be given as `undefined` too.',
    contents.join('\n'),
    ...groups.flatMap(({ title, of }) => [`## ${title}`, ...of.flatMap((one) => renderExport(one, links))]),
    ...subpaths.flatMap(({ specifier, exports }) => [
      `## ${specifier}`,
      ...exports.flatMap((one) => renderExport(one, links)),
    ]),
    '',
  ].join('\n\n');
}

function byName(exports: readonly Export[], kind: Export['kind']): Export[] {
  return exports.filter((one) => one.kind === kind).sort((a, b) => a.name.localeCompare(b.name, 'en'));
}

function renderExport(one: Export, links: Links): string[] {
  const { name, kind, doc, signatures, base } = one;
  const methods = one.members.filter((member) => member.kind !== 'property' && isShown(member, kind));
  const properties = one.members.filter((member) => member.kind === 'property' && isShown(member, kind));
  const inTable = kind === 'class' || kind === 'error' ? properties : [...properties, ...methods];
  const apart = kind === 'class' || kind === 'error' ? methods : [];
  return [
    `### ${name}`,
    ...(signatures.length > 0 ? [fence(signatures)] : []),
    ...(base === undefined ? [] : [`Extends ${links.type(base)}.`]),
    ...renderDoc(doc, links),
    ...(inTable.length > 0
      ? [
          inTable.some(({ doc: { text } }) => text !== '')
            ? table(inTable, kind === 'constant', links)
            : listing(inTable),
        ]
      : []),
    ...apart.flatMap((method) => [
      `#### ${headingOf(name, method)}`,
      fence(method.signatures),
      ...renderDoc(method.doc, links),
    ]),
  ];
}

/** Leaves out members that only implement a Node base class: Node documents them. */
function isShown({ doc, isOverride }: Member, kind: Export['kind']): boolean {
  return doc.text !== '' || !(isOverride || kind === 'error');
}

function headingOf(name: string, { kind, name: method }: Member): string {
  return kind === 'constructor' ? `new ${name}()` : `${name}${method.startsWith('[') ? '' : '.'}${method}()`;
}

function fence(signatures: readonly string[]): string {
  return ['```ts signature', ...signatures, '```'].join('\n');
}

function renderDoc({ text, throws, params }: Doc, links: Links): string[] {
  return [
    links.in(text),
    ...(params.length > 0 ? [params.map((param) => `- \`${param.name}\`: ${links.in(param.text)}`).join('\n')] : []),
    ...(throws.length > 0 ? [throws.map((one) => `- **Throws** ${links.in(one)}`).join('\n')] : []),
  ].filter((paragraph) => paragraph !== '');
}

/** A code block with members that need no comments. */
function listing(members: readonly Member[]): string {
  const lines = members.map(({ name, isOptional, type, signatures: [signature] }) => {
    return `  ${signature ?? `${name}${isOptional ? '?' : ''}: ${type}`};`;
  });
  return fence(['{', ...lines, '}']);
}

function table(members: readonly Member[], isConstant: boolean, links: Links): string {
  const hasDefaults = members.some(({ doc }) => doc.byDefault !== undefined);
  const columns = ['name', isConstant ? 'value' : 'type', ...(hasDefaults ? ['default'] : []), 'what'];
  const rows = members.map((member) => {
    const byDefault = hasDefaults ? [defaultText(member.doc.byDefault)] : [];
    const isOptional = member.isOptional ? '?' : '';
    return [`\`${member.name}${isOptional}\``, typeOf(member, links), ...byDefault, describe(member.doc, links)];
  });
  return [columns, columns.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map(escapeCell).join(' | ')} |`)
    .join('\n');
}

/** A method of a shape; its type is its signature. */
function typeOf({ kind, type, signatures, name }: Member, links: Links): string {
  return kind === 'method'
    ? signatures.map((one) => `\`${one.slice(name.length).replace(/^\?/, '')}\``).join(' ')
    : links.type(type);
}

function describe({ text, throws }: Doc, links: Links): string {
  return [text, ...throws.map((one) => `Throws ${one}`)].map((part) => links.in(part).replace(/\n+/g, ' ')).join(' ');
}

const escapeCell = (cell: string): string => cell.replaceAll('|', '\\|');

/** Formats a default: numbers with separators, names and strings as code, text unchanged. */
function defaultText(value: string | undefined): string {
  if (value === undefined) return '';
  const number = Number(value);
  if (Number.isInteger(number) && value !== '') {
    if (number > 0 && number % 1_048_576 === 0) return `${number / 1_048_576} MiB`;
    if (number > 0 && number % 1_024 === 0) return `${number / 1_024} KiB`;
    return number.toLocaleString('en');
  }
  return /^('[\w-]+'|[\w.]+(\(\))?)$/.test(value) && !/^[a-z]+$/.test(value) ? `\`${value}\`` : value;
}

/** Turns names into links to their headings on the page. */
class Links {
  readonly #names: ReadonlySet<string>;
  /** The classes whose methods have their own headings. */
  readonly #classes: ReadonlySet<string>;

  constructor(exports: readonly Export[]) {
    this.#names = new Set(exports.map(({ name }) => name));
    this.#classes = new Set(exports.filter(({ kind }) => kind === 'class').map(({ name }) => name));
  }

  to(name: string): string {
    return `[\`${name}\`](#${name.toLowerCase()})`;
  }

  /** Links a type that is one name, or an array of it. */
  type(text: string): string {
    const [, name = ''] = /^(?:readonly )?(\w+)(?:<.*>)?(?:\[\])?$/.exec(text) ?? [];
    return this.#names.has(name) ? `[\`${text}\`](#${name.toLowerCase()})` : `\`${text}\``;
  }

  /** `{@link Name}`, `{@link Name.method}`; and codes of errors, which the sources write without quotes. */
  in(text: string): string {
    const linked = text.replace(/\{@link ([\w.]+)\}/g, (_all, target: string) => {
      const [name = '', member] = target.split('.');
      if (!this.#names.has(name)) return `\`${target}\``;
      if (member === undefined) return this.to(name);
      if (!this.#classes.has(name)) return `[\`${target}\`](#${name.toLowerCase()})`;
      return `[\`${target}()\`](#${target.replace('.', '').toLowerCase()})`;
    });
    return linked.replace(/(?<!`)\bERR_[A-Z_]+\b(?!`)/g, '`$&`');
  }
}
