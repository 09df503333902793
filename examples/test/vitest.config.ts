import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

// The limit for a program that hangs; it includes `go run` with an empty cache.
const config: ViteUserConfig = mergeConfig(shared, defineConfig({ test: { testTimeout: 180_000 } }));
export default config;
