// The two programs of "Talk to Go" work together. As in interop, it is skipped without Go, and fails without Go if REQUIRE_GO is set.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { buildGoPeer } from '../../packages/yamux/test/interop/go-build.ts';
import { readPage, root } from '../src/pages.ts';
import { runCode } from '../src/run-code.ts';

const [go, node, output] = readPage('docs/how-to/talk-to-go.md').blocks;

const peer = await buildGoPeer();
const isAskedFor = [process.env.CI, process.env.REQUIRE_GO].some(
  (value) => !['', '0', 'false', undefined].includes(value),
);
if (peer.missing !== undefined && !isAskedFor) console.warn(`the program in Go is skipped: ${peer.missing}`);

const folder = mkdtempSync(join(tmpdir(), 'talk-to-go-'));
afterAll(async () => {
  rmSync(folder, { recursive: true, maxRetries: 5 });
  if (peer.missing === undefined) await peer.discard();
});

test.skipIf(peer.missing !== undefined && !isAskedFor)(
  'a server in Go and a client in Node',
  async () => {
    expect(peer.missing).toBeUndefined();
    writeFileSync(join(folder, 'main.go'), go?.code.replace('127.0.0.1:7000', '127.0.0.1:0') ?? '');
    const executable = join(folder, 'serve.exe');
    // Compiled as a part of that module, which requires the published yamux.
    const module = join(root, 'packages/yamux/test/interop/go-peer');
    execFileSync('go', ['build', '-buildvcs=false', '-o', executable, join(folder, 'main.go')], { cwd: module });

    const server = spawn(executable, { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      const [line] = (await once(createInterface(server.stderr), 'line')) as [string];
      const [, port = ''] = /listening on 127\.0\.0\.1:(\d+)$/.exec(line) ?? [];
      const { stdout, stderr, exitCode } = await runCode(node?.code.replace('7000', port) ?? '');
      expect({ stdout, stderr, exitCode }).toEqual({ stdout: output?.code, stderr: '', exitCode: 0 });
    } finally {
      server.kill();
      await once(server, 'close');
    }
  },
  120_000,
);
