// What a package weighs: its tarball, what npm unpacks, and each of its entries in a bundle, minified, without and with gzip.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import type { Consumer } from './consumer.ts';

interface Row {
  readonly what: string;
  readonly sizes: string;
}

export function printSizes(consumer: Consumer, tarballs: readonly string[], entries: readonly string[]): void {
  const rows = [
    ...tarballs.map((tarball): Row => {
      const packed = statSync(join(consumer.folder, tarball)).size;
      return { what: tarball, sizes: `${kib(packed)} packed` };
    }),
    ...new Set(entries.map((entry) => entry.split('/').slice(0, 2).join('/'))),
  ].map((row) => (typeof row === 'string' ? { what: row, sizes: `${kib(unpacked(consumer, row))} unpacked` } : row));
  for (const entry of entries) {
    const minified = bundle(consumer, entry);
    rows.push({ what: entry, sizes: `${kib(minified.length)} minified, ${kib(gzipSync(minified).length)} with gzip` });
  }
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, sizes } of rows) console.log(`${what.padEnd(width)}  ${sizes}`);
}

function unpacked(consumer: Consumer, name: string): number {
  const folder = join(consumer.folder, 'node_modules', name);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, file) => sum + statSync(join(file.parentPath, file.name)).size, 0);
}

/** The entry alone: what it imports from other packages is theirs. */
function bundle(consumer: Consumer, entry: string): Uint8Array {
  const name = entry.split('/').slice(0, 2).join('/');
  const { outputFiles } = buildSync({
    stdin: { contents: `export * from '${entry}';`, resolveDir: consumer.folder },
    bundle: true,
    minify: true,
    write: false,
    platform: 'node',
    format: 'esm',
    external: ['ws', 'prom-client', ...(name === '@zishuo/yamux' ? [] : ['@zishuo/yamux'])],
    logLevel: 'error',
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return output.contents;
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
