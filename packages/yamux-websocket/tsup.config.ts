import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Options } from 'tsup';
import { forBrowsers } from '../../tsup.browser.ts';
import shared from '../../tsup.config.ts';

// Before both builds, which run at the same time: neither may clean away what the other has made.
rmSync('dist', { recursive: true, force: true });

const config: Options[] = [
  { ...shared, entry: ['src/index.ts'], clean: false },
  forBrowsers(
    { index: 'src/index.ts' },
    {
      node: '@zishuo/yamux/browser',
      globals: resolve('src/browser/node.ts'),
      modules: { './dial.ts': resolve('src/browser/dial.ts'), './upgrade.ts': resolve('src/browser/upgrade.ts') },
    },
  ),
];
export default config;
