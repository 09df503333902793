// Checks what would be published, not what lies in the workspace: packs every public package, judges the tarballs, installs them by npm in an
// empty folder and uses them from there: as ESM, as CommonJS and from TypeScript, on the oldest and the newest Node, on Bun and Deno, and in
// workerd. Those alone are fetched; what the packages need besides each other is taken from this workspace.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allPages } from '../docs/src/pages.ts';
import { inBrowser, isChromiumHere } from './published/browser.ts';
import { Consumer } from './published/consumer.ts';
import { overrideYamuxJs } from './published/override.ts';
import {
  checkPublished,
  entries,
  judge,
  manifest,
  pack,
  publicFolders,
  refusesNpm,
  root,
} from './published/packages.ts';
import { fetchFromNpm, fetchRuntime, MINIFLARE, NODES, OTHERS, WS } from './published/runtimes.ts';
import { printSizes } from './published/sizes.ts';

/** Entries that are nothing without their optional peer dependency, and say so by failing to load. */
const NEEDS_ITS_PEER: readonly string[] = [
  '@zishuo/yamux-balancer/prometheus',
  '@zishuo/yamux-fleet/prometheus',
  '@zishuo/yamux-fleet/redis',
];

const modules = (folder: string): string => join(root, 'packages', folder, 'node_modules');
const PEERS: readonly string[] = [
  join(modules('yamux-websocket'), 'ws'),
  join(modules('yamux-websocket'), '@types', 'ws'),
  join(modules('balancer'), 'prom-client'),
];
/** What the tunnel needs besides packages of this workspace. */
const DEPENDENCIES: readonly string[] = Object.keys(manifest(join(root, 'packages', 'tunnel')).dependencies ?? {})
  .filter((name) => !name.startsWith('@zishuo/'))
  .map((name) => join(modules('tunnel'), name));
/** Node documents this, and the newest of its types lack it. */
const NOT_TYPED = /Duplex[.]from[(][{]/;
/** What some pages use besides. */
const NOT_INSTALLED = /from '(undici|yamux-js|[.][^']*)'/;
/** The one package that has dependencies outside this workspace, among them peers of the others. */
const TUNNEL = /^zishuo-tunnel-/;

async function testDist(temporary: string): Promise<void> {
  const tarballs = pack(temporary);
  for (const tarball of tarballs) {
    step(`publint --strict, attw: ${tarball}`);
    judge(join(temporary, tarball));
  }

  step('imports, without any optional peer dependency');
  const lean = tarballs.filter((tarball) => !TUNNEL.test(tarball));
  const bare = new Consumer(join(temporary, 'bare'), temporary, lean, []);
  const withoutPeers = entries().filter((entry) => !NEEDS_ITS_PEER.includes(entry) && entry !== '@zishuo/tunnel');
  bare.imports(process.execPath, withoutPeers);

  const consumers = ['@types/node', 'types-node-newest'].map((nodeTypes) => {
    step(`types, with ${nodeTypes} and every peer dependency`);
    const installed = [join(root, 'node_modules', nodeTypes), ...PEERS, ...DEPENDENCIES];
    const consumer = new Consumer(join(temporary, nodeTypes.replace('/', '-')), temporary, tarballs, installed);
    consumer.types(entries(), documentedCode());
    return consumer;
  });
  const [full = bare] = consumers;

  for (const folder of publicFolders()) checkPublished(join(full.folder, 'node_modules', manifest(folder).name));

  step('an override that puts @zishuo/yamux-js in the place of yamux-js');
  overrideYamuxJs(join(temporary, 'override'), temporary, process.execPath);

  step(`imports, round trips and the tunnel's programs, on this Node, ${process.version}`);
  full.imports(process.execPath, entries());
  full.roundTrips(process.execPath);
  full.tunnel(process.execPath);
  const unseen: string[] = [];
  for (const runtime of NODES) {
    step(`imports, round trips and the tunnel's programs, on ${runtime.title}`);
    const node = fetchRuntime(runtime, join(temporary, runtime.install));
    if ('missing' in node) {
      unseen.push(unavailable(runtime.title, node.missing));
      continue;
    }
    bare.imports(node.executable, withoutPeers);
    full.imports(node.executable, entries());
    full.roundTrips(node.executable);
    full.tunnel(node.executable);
  }
  for (const runtime of OTHERS) {
    step(`round trips, on ${runtime.title}`);
    const other = fetchRuntime(runtime, join(temporary, runtime.install));
    if ('missing' in other) unseen.push(unavailable(runtime.title, other.missing));
    else full.roundTrips(other.executable, runtime.args);
  }
  step('round trips, in workerd');
  const missing = fetchFromNpm(MINIFLARE, join(temporary, 'workerd'));
  if (missing === undefined) full.inWorkerd(join(temporary, 'workerd'));
  else unseen.push(unavailable('workerd', missing));

  step('a page, bundled by esbuild and by vite, in chromium');
  await inBrowser(full);
  if (!isChromiumHere()) unseen.push(unavailable('chromium', 'none is on PATH, and no CHROMIUM_PATH is given'));

  step('what the package ws is, at both ends of the range that is promised');
  for (const version of WS) {
    const folder = join(temporary, `ws-${version}`);
    const missing = fetchFromNpm(`ws@${version}`, folder);
    if (missing === undefined)
      full.withPackage(join(folder, 'node_modules', 'ws'), () => full.roundTrips(process.execPath));
    else unseen.push(unavailable(`ws ${version}`, missing));
  }

  step('npm pack in a package refuses');
  for (const folder of publicFolders()) refusesNpm(folder);

  step('sizes');
  printSizes(full, tarballs, entries());
  for (const title of unseen) console.warn(`\nNOT CHECKED: ${title}, which is not here: see above`);
}

/** A machine without a network may leave a runtime out, CI may not. */
function unavailable(title: string, reason: string): string {
  if (!['', '0', 'false', undefined].includes(process.env.CI)) throw new Error(`no ${title}: ${reason}`);
  console.warn(`no ${title}: ${reason}`);
  return title;
}

/** Of all pages, what is TypeScript and stands for itself. */
function documentedCode(): readonly string[] {
  const blocks = allPages().flatMap((page) => page.blocks.filter(({ language }) => language === 'ts'));
  const alone = blocks.filter(
    ({ marks, code }) =>
      !marks.some((mark) => /^(signature$|file=)/.test(mark)) && !NOT_INSTALLED.test(code) && !NOT_TYPED.test(code),
  );
  return alone.map(({ given, code }) => `${given}\n${code}`);
}

function step(what: string): void {
  console.log(`\n# ${what}`);
}

const temporary: string = mkdtempSync(join(tmpdir(), 'test-dist-'));
try {
  await testDist(temporary);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
