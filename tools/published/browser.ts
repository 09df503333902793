// A page that has the packages: bundled by esbuild and by vite as its author would, and run in chromium against a server of `ws`.
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { build } from 'vite';
import { findChromium, launch } from '../../packages/tunnel/test/browser/chromium.ts';
import type { Consumer } from './consumer.ts';

interface Server {
  readonly url: string;
  readonly errors: readonly Error[];
  close(): void;
}

/** Bytes with gzip, with all that the packages need. */
const LARGEST_BUNDLE = 30 * 1024;
/** ms */
const PATIENCE = 60_000;

export function isChromiumHere(): boolean {
  return findChromium() !== undefined;
}

/** Bundles what is installed there, holds the bundle to its size, and runs the page wherever there is a chromium. */
export async function inBrowser(consumer: Consumer): Promise<void> {
  const { folder } = consumer;
  cpSync(join(import.meta.dirname, 'in-browser'), folder, { recursive: true });
  holdToSize(folder);
  const scripts = { esbuild: byEsbuild(folder), vite: await byVite(folder) };
  const { startServer }: { startServer(script: Uint8Array): Promise<Server> } = await import(
    pathToFileURL(join(folder, 'server.mjs')).href
  );
  const executable = findChromium();
  if (executable === undefined) return;
  const browser = await launch(executable);
  try {
    for (const [bundler, script] of Object.entries(scripts)) {
      const server = await startServer(script);
      const page = await browser.newPage();
      const thrown: string[] = [];
      page.on('pageerror', (error) => thrown.push(String(error.stack)));
      await page.goto(server.url);
      await page.waitForFunction('document.title !== ""', undefined, { timeout: PATIENCE });
      const said = await page.title();
      const errors = [...thrown, ...server.errors.map((error) => String(error.stack))];
      await page.close();
      server.close();
      if (said !== 'done' || errors.length > 0)
        throw new Error(`in a page by ${bundler}: ${[said, ...errors].join('\n')}`);
      console.log(`a page by ${bundler}, in chromium ${browser.version()}`);
    }
  } finally {
    await browser.close();
  }
}

function holdToSize(folder: string): void {
  const contents = "export * from '@zishuo/yamux';\nexport * from '@zishuo/yamux-websocket';";
  const minified = bundled({ stdin: { contents, resolveDir: folder }, minify: true });
  const size = gzipSync(minified).length;
  console.log(`both packages for a browser: ${(size / 1024).toFixed(1)} KiB with gzip, with all that they need`);
  if (size > LARGEST_BUNDLE) throw new Error(`expected at most ${LARGEST_BUNDLE} bytes with gzip, got ${size}`);
}

function byEsbuild(folder: string): Uint8Array {
  return bundled({ entryPoints: [join(folder, 'page.mjs')] });
}

function bundled(input: Parameters<typeof buildSync>[0]): Uint8Array {
  const { outputFiles = [] } = buildSync({ ...input, bundle: true, write: false, format: 'esm', logLevel: 'warning' });
  const [output] = outputFiles;
  if (output === undefined) throw new Error('esbuild made nothing of the page');
  return output.contents;
}

async function byVite(folder: string): Promise<Uint8Array> {
  const lib = { entry: 'page.mjs', formats: ['es' as const], fileName: () => 'page.js' };
  const outDir = join(folder, 'by-vite');
  await build({ root: folder, configFile: false, logLevel: 'warn', build: { outDir, minify: true, lib } });
  return readFileSync(join(outDir, 'page.js'));
}
