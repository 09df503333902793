// How a package is built for browsers: as for Node, from the same sources, with every `node:` module and every global of Node taken from one
// place. A bundler's condition `browser` chooses it; the types are those of the build for Node.
import type { Options } from 'tsup';
import shared from './tsup.config.ts';

type Plugin = NonNullable<Options['esbuildPlugins']>[number];

interface Replacements {
  /** What stands for Node's modules and globals: a file, or the name of a package that is installed beside. */
  readonly node: string;
  /** A file that exports those globals. */
  readonly globals: string;
  /** Other modules of these sources, by what their importers call them. */
  readonly modules?: Readonly<Record<string, string>>;
}

export function forBrowsers(entry: Record<string, string>, { node, globals, modules = {} }: Replacements): Options {
  const isFile = node.startsWith('/') || /^[a-z]:/i.test(node);
  const replace: Plugin = {
    name: 'for-browsers',
    setup(build) {
      build.onResolve({ filter: /^node:/ }, () => ({ path: node, external: !isFile }));
      build.onResolve({ filter: /^[.]/ }, ({ path }) => {
        const other = modules[path];
        return other === undefined ? undefined : { path: other };
      });
    },
  };
  return {
    ...shared,
    entry,
    outDir: 'dist/browser',
    platform: 'browser',
    target: 'es2022',
    dts: false,
    clean: false,
    splitting: true,
    define: { 'process.env.NODE_DEBUG': 'undefined' },
    inject: [globals],
    esbuildPlugins: [replace],
  };
}
