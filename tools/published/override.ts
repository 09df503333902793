// Somebody whose dependency needs yamux-js, and who has put @zishuo/yamux-js in its place by an override of npm.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tarballOf } from './packages.ts';
import { npm, run } from './run.ts';

/** Installs that in `folder`, from the tarballs of `from` and without the network, and runs the dependency as ES module and as CommonJS. */
export function overrideYamuxJs(folder: string, from: string, node: string): void {
  mkdirSync(folder);
  cpSync(join(import.meta.dirname, 'needs-yamux-js'), join(folder, 'needs-yamux-js'), { recursive: true });
  // By whole paths: npm looks for an override from the package that is given it.
  const fileOf = (name: string): string => `file:${join(from, tarballOf(name))}`;
  const manifest = {
    private: true,
    dependencies: { 'needs-yamux-js': 'file:./needs-yamux-js', '@zishuo/yamux': fileOf('yamux') },
    overrides: { 'yamux-js': fileOf('yamux-js') },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  npm(folder, 'install', '--offline', '--install-links', '--no-audit', '--no-fund');
  for (const program of ['program.mjs', 'program.cjs']) {
    run(folder, node, [join('node_modules', 'needs-yamux-js', program)]);
  }
}
