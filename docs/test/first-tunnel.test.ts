// Runs the tutorial step by step, as a reader does: its file, its commands, its responses. Only the ports differ. Text that a reader copies
// from one terminal to another is copied here.

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Block, readPage, root } from '../src/pages.ts';
import { FROM_SOURCES } from '../src/run-code.ts';

const { blocks } = readPage('docs/tutorial/first-tunnel.md');

/** A program in its own terminal. */
class Terminal {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #lines: string[] = [];
  #heard = (): void => {};

  constructor(argv: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
    const stdio = ['ignore', 'pipe', 'inherit'] as const;
    this.#child = spawn(process.execPath, argv, { cwd, env: { ...process.env, ...env }, stdio: [...stdio] });
    createInterface(this.#child.stdout).on('line', (line) => {
      this.#lines.push(line);
      this.#heard();
    });
  }

  /** The first match of what it has printed or will print. Only the test's own time limit ends the wait. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = this.#lines.map((line) => pattern.exec(line)).find((match) => match !== null);
      if (found) return found;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** Presses Ctrl-C and returns the exit code. Windows has no such signal for a single process, and ends it. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGINT');
      await once(this.#child, 'close');
    }
    return this.#child.exitCode;
  }
}

/** The exit code of a program that ended by itself. */
const STOPPED = process.platform === 'win32' ? null : 0;

let folder: string;
let terminals: Terminal[];
/** Text of the page, and its value in this test. */
let copied: Map<string, string>;
let step: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'first-tunnel-'));
  terminals = [];
  copied = new Map([
    ['3000', '0'],
    ['gateway --port 8080', 'gateway --port 0 --admin-port 0'],
  ]);
  step = 0;
});

afterEach(async () => {
  await Promise.all(terminals.map((terminal) => terminal.stop()));
  await rm(folder, { recursive: true });
});

/** The next block of the page, with the values of this test. */
function next(language: string): string {
  const block = blocks[step] as Block;
  step += 1;
  expect(block.language).toBe(language);
  return [...copied].reduce((code, [there, here]) => code.replaceAll(there, here), block.code).trim();
}

/** Types the next command. */
async function types(): Promise<Terminal> {
  const [, assignment = '', program, rest = ''] = /^(\w+=\S+ )?(pnpm \w+|node) ?(.*)$/.exec(next('sh')) ?? [];
  const [name = '', value = ''] = assignment.trim().split('=');
  const env = name === '' ? {} : { [name]: value };
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const script = scripts[program?.split(' ')[1] ?? '']?.split(' ').at(-1);
  const argv = [...(script === undefined ? [] : [...FROM_SOURCES, script]), ...rest.split(' ')];
  const terminal = new Terminal(argv, script === undefined ? folder : root, env);
  terminals.push(terminal);
  return terminal;
}

/** Sends a request as curl does. Returns the status and the body. */
async function curls(): Promise<{ status: number | undefined; body: string }> {
  const [, host, url = ''] = /^curl (?:-H 'Host: (\S+)' )?(http\S+)$/.exec(next('sh')) ?? [];
  const asking = request(url, { agent: false, headers: host === undefined ? {} : { host } }).end();
  const [response] = (await once(asking, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: (await text(response)).trim() };
}

/** The dashboard as a browser uses it: the events of its page, and the requests of its buttons. */
class Dashboard {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.#url = url;
    this.#token = token;
  }

  async title(): Promise<string | undefined> {
    const page = await fetch(this.#url);
    return /<title>(.*)<\/title>/.exec(await page.text())?.[1];
  }

  async firstSession(): Promise<{ key: string; agent: string; state: string }> {
    const { body } = await fetch(new URL('events', this.#url));
    let received = '';
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      received += chunk;
      if (received.includes('\n\n')) break;
    }
    // One chunk can hold two events: a change is sent within 50 ms of the first one.
    const [event = ''] = received.split('\n\n');
    return JSON.parse(event.replace(/^data: /, '')).sessions[0];
  }

  async press(action: 'drain' | 'resume', session: string): Promise<number> {
    const headers = { Authorization: `Bearer ${this.#token}` };
    const path = `sessions/${encodeURIComponent(session)}/${action}`;
    return (await fetch(new URL(path, this.#url), { method: 'POST', headers })).status;
  }

  async why(): Promise<string> {
    const answer = await fetch(new URL('explain?host=127.0.0.1&path=/', this.#url));
    return ((await answer.json()) as { summary: string }).summary;
  }
}

async function startsGateway(): Promise<Terminal> {
  const gateway = await types();
  const [, port = ''] = await gateway.prints(/"gateway listening","url":"http:\/\/127\.0\.0\.1:(\d+)"/);
  copied.set('8080', port);
  return gateway;
}

test('the first tunnel', async () => {
  await writeFile(join(folder, 'server.mjs'), next('js'));
  const server = await types();
  copied.set('3000', (await server.prints(/serving on port (\d+)/))[1] ?? '');

  const gateway = await startsGateway();
  const [, shown = '', token = ''] = await gateway.prints(/^(Try: .* --token )(\S+)/);
  expect(shown.replace('127.0.0.1:3000', `127.0.0.1:${copied.get('3000')}`)).toBe(next('text').replace('eyJhZ2…', ''));
  copied.set('eyJhZ2…', token);
  const [, , adminPort = '', adminToken = ''] = await gateway.prints(
    /^(Dashboard: http:\/\/127\.0\.0\.1:(\d+)\/#token=)(\S+)/,
  );

  const agent = await types();
  await Promise.all([agent.prints(/"connected"/), gateway.prints(/"agent connected"/)]);
  expect(await curls()).toEqual({ status: 200, body: next('text') });

  expect(next('text')).toBe('Dashboard: http://127.0.0.1:8081/#token=q7Xw…');
  const dashboard = new Dashboard(`http://127.0.0.1:${adminPort}/`, adminToken);
  expect(await dashboard.title()).toBe('Tunnel gateway');
  const session = await dashboard.firstSession();
  expect(session).toMatchObject({ agent: 'first', state: 'available' });
  expect(await dashboard.press('drain', session.key)).toBe(200);
  expect(await curls()).toEqual({ status: 503, body: next('text') });
  expect(await dashboard.why()).toContain('0 of its 1 session can take one now');
  expect(await dashboard.press('resume', session.key)).toBe(200);
  expect(await curls()).toEqual({ status: 200, body: next('text') });

  expect(await agent.stop()).toBe(STOPPED);
  await gateway.prints(/"agent gone"/);
  expect(await curls()).toEqual({ status: 503, body: next('text') });
  expect(await gateway.stop()).toBe(STOPPED);

  copied.delete('8080');
  const second = await startsGateway();
  const [issued] = await (await types()).prints(/^eyJ\S+/);
  copied.set('eyJhZ2…', issued);
  await types();
  await second.prints(/"agent connected".*"app\.example"/);
  expect(await curls()).toEqual({ status: 200, body: next('text') });
  expect(step).toBe(blocks.length);
}, 120_000);
