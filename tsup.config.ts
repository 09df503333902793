import type { Options } from 'tsup';

type Plugin = NonNullable<Options['plugins']>[number];

/** esbuild bundles a class that names itself as `var Stream = class _Stream`, and stack traces and util.inspect() would show that name. */
const classNames: Plugin = {
  name: 'class-names',
  renderChunk(code) {
    let named = code;
    for (const [, name, inner] of code.matchAll(/\bvar (\w+) = class (_\w+)/g)) {
      named = named.replace(new RegExp(`(?<![\\w$#.])${inner}(?![\\w$])`, 'g'), `${name}`);
    }
    return { code: named };
  },
};

/** How every published package is built: `tsup --config ../../tsup.config.ts` in its folder. */
const config: Options = {
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  dts: true,
  clean: true,
  sourcemap: true,
  target: 'node20',
  // `import 'stream'` is a package of npm to every runtime and bundler but Node.
  removeNodeProtocol: false,
  plugins: [classNames],
};
export default config;
