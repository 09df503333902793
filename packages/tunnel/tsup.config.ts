// As the other packages are built, and besides: the two programs, and the dashboard's files as they lie there.
import { cpSync, rmSync } from 'node:fs';
import type { Options } from 'tsup';
import shared from '../../tsup.config.ts';

// Before both builds, which run at the same time: neither may clean away what the other has made.
rmSync('dist', { recursive: true, force: true });

const config: Options[] = [
  {
    ...shared,
    entry: ['src/index.ts'],
    shims: true,
    clean: false,
    onSuccess: () => {
      const isPart = (file: string): boolean => !/tsconfig[.]json$/.test(file);
      cpSync('src/admin/page', 'dist/page', { recursive: true, filter: isPart });
      return Promise.resolve();
    },
  },
  { ...shared, entry: ['src/gateway.ts', 'src/agent.ts'], format: ['esm'], dts: false, clean: false },
];
export default config;
