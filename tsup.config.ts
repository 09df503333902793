import type { Options } from 'tsup';

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
};
export default config;
