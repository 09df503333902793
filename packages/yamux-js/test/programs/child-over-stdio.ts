// A port forwarder: a child has the other end of the session on its standard input and output.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { QUIET, type YamuxJs } from '../support/implementations.ts';
import { cut, turns } from '../support/links.ts';
import { readBytes } from '../support/reading.ts';

export interface Seen {
  readonly greeting: string;
  /** Of what the child sends behind the greeting. */
  readonly isWhole: boolean;
}

/** Less than a window. */
const SENT = 200_000;
const SHA256: string = createHash('sha256').update(Buffer.alloc(SENT, 'stdio')).digest('hex');
const CHILD: string = fileURLToPath(new URL('../support/stdio-child.ts', import.meta.url));

export async function childOverStdio({ Client }: YamuxJs): Promise<Seen> {
  const child = spawn(process.execPath, ['--conditions=@zishuo/source', '--import', 'tsx', CHILD, String(SENT)], {
    stdio: ['pipe', 'pipe', 'inherit', 'ipc'],
  }) as ChildProcessByStdio<Writable, Readable, null>;
  onTestFinished(() => void child.kill());
  const session = new Client(QUIET);
  session.on('error', () => {});
  child.stdin.on('error', () => {});
  // A pipe passes on what it likes. So that it never happens to be whole frames:
  child.stdout.pipe(cut(1000)).pipe(session).pipe(child.stdin);

  const stream = session.open();
  stream.write(JSON.stringify({ type: 'tcp', port: 5173 }));
  const greeting = (await readBytes(stream, 2)).toString();
  const hash = createHash('sha256');
  stream.on('data', (chunk: Buffer) => hash.update(chunk));
  stream.resume();
  const ended = once(child.stdout, 'end');
  // It has sent all: without its standard input it exits.
  await once(child, 'message');
  child.stdin.end();
  await ended;
  await turns();
  session.close();
  return { greeting, isWhole: hash.digest('hex') === SHA256 };
}
