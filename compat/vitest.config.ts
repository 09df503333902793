import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../vitest.shared.ts';

// Most of the time is spent waiting, for a timeout of a library or for a program that hangs.
const config: ViteUserConfig = mergeConfig(shared, defineConfig({ test: { maxWorkers: 2 } }));
export default config;
