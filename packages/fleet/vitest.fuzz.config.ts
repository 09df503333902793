// `pnpm fuzz`: the properties of which `pnpm test` runs a little, for as long as one likes.
import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

const { FUZZ_SECONDS = '60' } = process.env;

const config: ViteUserConfig = mergeConfig(
  shared,
  defineConfig({
    test: {
      include: ['test/fleet.property.test.ts'],
      env: { FUZZ_SECONDS },
      testTimeout: 3_600_000,
    },
  }),
);
export default config;
