// Before a package is packed: only pnpm makes of its manifest one that others understand, by .pnpmfile.cjs. What else packs is refused.
import { basename } from 'node:path';

const packer = basename(process.env.npm_execpath ?? 'npm').split(/[-.]/)[0];
if (packer !== 'pnpm') {
  const { npm_package_name: name = 'This package' } = process.env;
  console.error(
    `${name} was not packed: ${packer} would ship "workspace:" and "@zishuo/source", which nobody can install; run \`pnpm release --dry-run\` at the root, which leaves tarballs in tarballs/`,
  );
  process.exitCode = 1;
}
