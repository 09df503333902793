// Somebody who has installed the tarballs by npm, in a folder where nothing else is, and uses them.
import { cpSync, existsSync, mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifest, root } from './packages.ts';
import { npm, pnpm, run } from './run.ts';

export class Consumer {
  readonly folder: string;

  /** Installs the tarballs of `from`, without the network. `installed`: packages of this workspace, copied. */
  constructor(folder: string, from: string, tarballs: readonly string[], installed: readonly string[]) {
    this.folder = folder;
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    for (const tarball of tarballs) cpSync(join(from, tarball), join(folder, tarball));
    // Before npm looks, which then asks no registry for them.
    for (const one of installed) copyPackage(one, join(folder, 'node_modules'));
    npm(folder, 'install', '--offline', '--no-audit', '--no-fund', ...tarballs.map((tarball) => `./${tarball}`));
    // npm takes away what nobody depends on.
    for (const one of installed) copyPackage(one, join(folder, 'node_modules'));
  }

  /** Both module systems must load every entry and see the same names. */
  imports(node: string, entries: readonly string[]): void {
    cpSync(join(import.meta.dirname, 'imports.mjs'), join(this.folder, 'imports.mjs'));
    run(this.folder, node, ['imports.mjs', ...entries]);
  }

  /** Real streams, as ES modules, as CommonJS, and with a copy of either kind on both ends of a connection. */
  roundTrips(runtime: string, args: readonly string[] = []): void {
    cpSync(join(import.meta.dirname, 'round-trip.mjs'), join(this.folder, 'round-trip.mjs'));
    for (const near of ['esm', 'cjs']) {
      for (const far of ['esm', 'cjs']) run(this.folder, runtime, [...args, 'round-trip.mjs', near, far]);
    }
  }

  /** Streams over the WebSockets of workerd; `miniflare` is the folder where that is installed. */
  inWorkerd(miniflare: string): void {
    cpSync(join(import.meta.dirname, 'in-workerd'), miniflare, { recursive: true });
    cpSync(join(this.folder, 'node_modules', '@zishuo'), join(miniflare, 'node_modules', '@zishuo'), {
      recursive: true,
    });
    const bundled = join(miniflare, 'bundle.mjs');
    const options = [
      '--bundle',
      '--format=esm',
      '--platform=neutral',
      '--main-fields=module,main',
      '--log-level=error',
    ];
    const external = ['--external:node:*', '--external:ws'];
    pnpm(root, 'exec', 'esbuild', join(miniflare, 'worker.mjs'), ...options, ...external, `--outfile=${bundled}`);
    run(miniflare, process.execPath, ['program.mjs', 'bundle.mjs']);
  }

  /** The programs of the tunnel, as processes: a gateway, an agent, a request, and their ends. */
  tunnel(node: string): void {
    cpSync(join(import.meta.dirname, 'tunnel.mjs'), join(this.folder, 'tunnel.mjs'));
    run(this.folder, node, ['tunnel.mjs']);
  }

  /** Does something while another version of a package is installed. */
  withPackage(installed: string, act: () => void): void {
    const place = join(this.folder, 'node_modules', manifest(installed).name);
    const before = `${place}.before`;
    renameSync(place, before);
    cpSync(installed, place, { recursive: true });
    act();
    rmSync(place, { recursive: true });
    renameSync(before, place);
  }

  /**
   * The compiler reads the types as strictly as it can, from an ES module and from a CommonJS one, and all code of `blocks`; as Node resolves
   * imports, and as bundlers do.
   */
  types(entries: readonly string[], blocks: readonly string[]): void {
    const lines = entries.map((name, index) => `import * as entry${index} from '${name}';\nvoid entry${index};\n`);
    const modules = blocks.map((code, index) => [`block-${index}.mts`, `${code}\nexport {};\n`] as const);
    const texts = new Map([['consumer.mts', lines.join('')], ['consumer.cts', lines.join('')], ...modules]);
    for (const [file, text] of texts) writeFileSync(join(this.folder, file), text);
    this.#compile([...texts.keys()], { module: 'NodeNext' });
    const esm = [...texts.keys()].filter((file) => file.endsWith('.mts'));
    this.#compile(esm, { module: 'ESNext', moduleResolution: 'bundler' });
  }

  #compile(files: readonly string[], resolution: object): void {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
      target: 'ES2022',
      lib: ['ES2022', 'ESNext.Disposable'],
      ...resolution,
      types: ['node'],
    };
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    pnpm(root, 'exec', 'tsc', '-p', this.folder);
  }
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
