import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../../vitest.shared.ts';

// A bound for a program that hangs, `go run` on an empty cache included.
const config: ViteUserConfig = mergeConfig(shared, defineConfig({ test: { testTimeout: 180_000 } }));
export default config;
