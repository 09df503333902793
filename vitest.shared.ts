import { fileURLToPath } from 'node:url';
import type { ViteUserConfig } from 'vitest/config';

/** What every package's tests share: sources instead of builds, one seed for all property tests, no retries. */
export const shared: ViteUserConfig = {
  resolve: { conditions: ['@zishuo/source'] },
  ssr: { resolve: { conditions: ['@zishuo/source'] } },
  test: {
    setupFiles: [fileURLToPath(new URL('./vitest.setup.ts', import.meta.url))],
    testTimeout: 30_000,
    retry: 0,
  },
};
