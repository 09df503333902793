import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import { shared } from '../vitest.shared.ts';

// Most of their time is waiting: for a timeout of a library, or a program that hangs.
const config: ViteUserConfig = mergeConfig(shared, defineConfig({ test: { maxWorkers: 2 } }));
export default config;
