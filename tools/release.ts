// `pnpm release`: packs every public package into tarballs/, checks what would be published, shows it, and publishes it; with --dry-run all
// but the last. What is there already, npm refuses.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPublished, judge, manifest, pack, repository, root, unpack } from './published/packages.ts';
import { npm } from './published/run.ts';

function release(isDry: boolean): void {
  const tarballs = join(root, 'tarballs');
  rmSync(tarballs, { recursive: true, force: true });
  mkdirSync(tarballs);
  const packed = pack(tarballs);
  const temporary = mkdtempSync(join(tmpdir(), 'release-'));
  try {
    for (const tarball of packed) show(join(tarballs, tarball), temporary);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  const unproven = whyUnproven();
  const flags = unproven === undefined ? ['--provenance'] : [];
  console.log(`\n${unproven === undefined ? 'With provenance' : `Without provenance: ${unproven}`}. In this order:`);
  for (const tarball of packed) console.log(['  npm publish', join('tarballs', tarball), ...flags].join(' '));
  if (isDry) return;
  const changes = execFileSync('git', ['status', '--porcelain'], { cwd: root, encoding: 'utf8' });
  if (changes !== '') throw new Error(`Nothing was published, since these files are not committed:\n${changes}`);
  for (const tarball of packed) npm(root, 'publish', join('tarballs', tarball), ...flags);
}

/** Checks one tarball, and prints what is in it. */
function show(tarball: string, temporary: string): void {
  judge(tarball);
  const folder = unpack(tarball, temporary);
  checkPublished(folder);
  const { name, version, dependencies = {}, peerDependencies = {} } = manifest(folder);
  console.log(`\n# ${name} ${version}: ${(statSync(tarball).size / 1024).toFixed(1)} KiB packed`);
  for (const [kind, needs] of Object.entries({ dependencies, peerDependencies })) {
    const ranges = Object.entries(needs).map((need) => need.join(' '));
    if (ranges.length > 0) console.log(`  ${kind}: ${ranges.join(', ')}`);
  }
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n').sort();
  for (const file of files) console.log(`  ${file.replace('package/', '')}`);
}

/** A registry takes a proof only from a CI that it can ask, for a repository that the manifest names. */
function whyUnproven(): string | undefined {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: action, SIGSTORE_ID_TOKEN: token } = process.env;
  if (action === undefined && token === undefined) return 'this is no CI job with an identity token';
  return repository === undefined ? 'the package.json of the root names no repository' : undefined;
}

const args: readonly string[] = process.argv.slice(2);
const USAGE = 'Usage: pnpm release [--dry-run]';
if (args.includes('--help')) {
  console.log(USAGE);
} else if (args.some((arg) => arg !== '--dry-run')) {
  console.error(`${USAGE}\nExpected nothing or --dry-run, got ${args.join(' ')}`);
  process.exitCode = 2;
} else {
  release(args.length > 0);
}
