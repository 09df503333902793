import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Options } from 'tsup';
import { forBrowsers } from '../../tsup.browser.ts';
import shared from '../../tsup.config.ts';

// Before both builds, which run at the same time: neither may clean away what the other has made.
rmSync('dist', { recursive: true, force: true });

const browser: string = resolve('src/browser.ts');
const config: Options[] = [
  { ...shared, entry: ['src/index.ts', 'src/http.ts'], clean: false },
  {
    ...forBrowsers({ index: 'src/index.ts', node: browser }, { node: browser, globals: browser }),
    dts: { entry: { node: browser } },
  },
];
export default config;
