// `pnpm fuzz` and `pnpm soak`: what `pnpm test` runs a little of, for as long as one likes.
import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

const { FUZZ_SECONDS = '60', SOAK_STREAMS = '1000000' } = process.env;

/** Those of whole sessions; the ones with Go are `pnpm interop`'s. */
const properties = ['test/{fuzz,session,socket}/*.property.test.ts'];

const config: ViteUserConfig = mergeConfig(
  shared,
  defineConfig({
    test: {
      // Each file spends its time alone, on a core or a share of one.
      maxWorkers: 4,
      testTimeout: 3_600_000,
      projects: [
        { extends: true, test: { name: 'fuzz', include: properties, env: { FUZZ_SECONDS } } },
        { extends: true, test: { name: 'soak', include: ['test/soak.test.ts'], env: { SOAK_STREAMS } } },
      ],
    },
  }),
);
export default config;
