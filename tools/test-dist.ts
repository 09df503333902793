// Checks what would be published, not what lies in the workspace: packs every public package, judges the tarballs, installs them by npm in an
// empty folder and uses them from there, as ESM, as CommonJS and from TypeScript. Nothing is fetched: what the packages need besides each
// other is taken from this workspace.
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root: string = dirname(import.meta.dirname);
const temporary: string = mkdtempSync(join(tmpdir(), 'test-dist-'));

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

/** Entries that are nothing without their optional peer dependency, and say so by failing to load. */
const NEEDS_ITS_PEER: readonly string[] = ['@zishuo/yamux-balancer/prometheus'];

function main(): void {
  const tarballs = pack();
  for (const tarball of tarballs) {
    step(`publint --strict, attw: ${tarball}`);
    pnpm(root, 'exec', 'publint', 'run', join(temporary, tarball), '--strict');
    pnpm(root, 'exec', 'attw', join(temporary, tarball), '--profile', 'node16', '--no-definitely-typed');
  }

  const websocket = join(root, 'packages', 'yamux-websocket', 'node_modules');
  const balancer = join(root, 'packages', 'balancer', 'node_modules');
  const packages = names();
  step('imports, without any optional peer dependency');
  const bare = consumer('bare', tarballs, []);
  for (const name of packages) checkManifest(join(bare, 'node_modules', name));
  checkImports(
    bare,
    entries().filter((entry) => !NEEDS_ITS_PEER.includes(entry)),
  );

  for (const nodeTypes of ['@types/node', 'types-node-newest']) {
    step(`types, with ${nodeTypes} and every peer dependency`);
    const peers = [
      join(root, 'node_modules', nodeTypes),
      join(websocket, 'ws'),
      join(websocket, '@types', 'ws'),
      join(balancer, 'prom-client'),
    ];
    const typed = consumer(nodeTypes.replace('/', '-'), tarballs, peers);
    checkImports(typed, entries());
    checkTypes(typed, entries());
  }
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function publicFolders(): readonly string[] {
  const folders = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
  return folders.filter((folder) => manifest(folder).private !== true);
}

function names(): readonly string[] {
  return publicFolders().map((folder) => manifest(folder).name);
}

/** What a consumer may import: every package, and every subpath of its exports. */
function entries(): readonly string[] {
  return publicFolders().flatMap((folder) => {
    const { name, exports = {} } = manifest(folder);
    const subpaths = Object.keys(exports).filter((subpath) => subpath !== './package.json');
    return subpaths.map((subpath) => name + subpath.slice(1));
  });
}

/** The tarballs' file names in the temporary folder. */
function pack(): readonly string[] {
  for (const folder of publicFolders()) pnpm(folder, 'pack', '--pack-destination', temporary);
  return readdirSync(temporary).filter((name) => name.endsWith('.tgz'));
}

/** Installs the tarballs and copies of `peers` in an empty folder, with no network. Returns the folder. */
function consumer(name: string, tarballs: readonly string[], peers: readonly string[]): string {
  const folder = join(temporary, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const local: string[] = [];
  for (const tarball of tarballs) {
    cpSync(join(temporary, tarball), join(folder, tarball));
    local.push(`./${tarball}`);
  }
  npm(folder, 'install', '--offline', '--no-audit', '--no-fund', ...local);
  // Behind npm's back, which would ask the registry for what the peers depend on.
  for (const peer of peers) copyPackage(peer, join(folder, 'node_modules'));
  return folder;
}

/** Copies an installed package and what it depends on; what is there already stays. pnpm lays a package's dependencies beside it. */
function copyPackage(installed: string, nodeModules: string): void {
  const source = realpathSync(installed);
  const { name, dependencies = {} } = manifest(source);
  const target = join(nodeModules, name);
  if (existsSync(target)) return;
  cpSync(source, target, { recursive: true });
  const siblings = join(source, ...name.split('/').map(() => '..'));
  for (const dependency of Object.keys(dependencies)) copyPackage(join(siblings, dependency), nodeModules);
}

function checkManifest(installed: string): void {
  const text = readFileSync(join(installed, 'package.json'), 'utf8');
  for (const leftover of ['@zishuo/source', 'workspace:', 'link:']) {
    if (text.includes(leftover)) throw new Error(`the published manifest of ${installed} says ${leftover}`);
  }
  const files = readdirSync(installed).sort().join(' ');
  if (!/^LICENSE( README\.md)? dist package\.json$/.test(files)) {
    throw new Error(`${installed} should publish LICENSE, README.md, dist and package.json, and has: ${files}`);
  }
}

/** Both module systems must load every package and see the same names. */
function checkImports(folder: string, packages: readonly string[]): void {
  writeFileSync(
    join(folder, 'imports.mjs'),
    `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
for (const name of ${JSON.stringify(packages)}) {
  const esm = Object.keys(await import(name)).sort();
  const cjs = Object.keys(require(name)).sort();
  if (esm.length === 0) throw new Error(name + ' exports nothing');
  if (String(esm) !== String(cjs)) throw new Error(name + ' exports ' + esm + ' as ESM and ' + cjs + ' as CommonJS');
  console.log(name + ': ' + esm.join(', '));
}
`,
  );
  run(folder, process.execPath, ['imports.mjs']);
}

/** A consumer's compiler reads the types as strictly as it can, as an ES module and as a CommonJS one. */
function checkTypes(folder: string, packages: readonly string[]): void {
  const lines = packages.map((name, index) => `import * as package${index} from '${name}';\nvoid package${index};\n`);
  for (const file of ['consumer.mts', 'consumer.cts']) writeFileSync(join(folder, file), lines.join(''));
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    target: 'ES2022',
    module: 'NodeNext',
    types: ['node'],
  };
  const files = ['consumer.mts', 'consumer.cts'];
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  pnpm(root, 'exec', 'tsc', '-p', folder);
}

function pnpm(cwd: string, ...args: readonly string[]): void {
  const cli = process.env.npm_execpath;
  if (cli === undefined) throw new Error('run this by `pnpm test:dist`: it needs to know which pnpm to call');
  run(cwd, process.execPath, [cli, ...args]);
}

/** On Windows npm is a .cmd file, which only a shell runs; every argument given here is free of spaces. */
function npm(cwd: string, ...args: readonly string[]): void {
  // pnpm hands its own configuration to what it runs, and npm warns of every word of it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_/i.test(name)));
  run(cwd, 'npm', args, { env, shell: process.platform === 'win32' });
}

function run(cwd: string, program: string, args: readonly string[], options: SpawnSyncOptions = {}): void {
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  if (status !== 0) throw new Error(`failed in ${cwd}: ${program} ${args.join(' ')}`, { cause: error });
}

function step(what: string): void {
  console.log(`\n# ${what}`);
}

try {
  main();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
