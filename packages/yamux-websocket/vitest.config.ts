import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

const interop = 'test/interop/**/*.test.ts';
const globalSetup = ['../yamux/test/interop/global-setup.ts'];

const config: ViteUserConfig = mergeConfig(
  shared,
  defineConfig({
    test: {
      projects: [
        { extends: true, test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: [interop] } },
        { extends: true, test: { name: 'interop', include: [interop], globalSetup } },
      ],
    },
  }),
);
export default config;
