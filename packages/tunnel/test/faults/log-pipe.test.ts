// What the programs write their log to fails: a pipe that is closed, a pipe that nobody reads, a disk that is full. It costs lines, and nothing else.
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ask, listen } from '../support/http.ts';
import { finished, type LogLine, measure, ready, start } from '../support/programs.ts';
import { tokenFor } from '../support/tunnel.ts';
import { type GatewayProgram, startGateway } from './scene.ts';

const MIB = 1024 * 1024;

/** A pipe as a shell makes it. Node's own, to its children, are sockets. */
function openPipe(): { readonly readFrom: number; readonly writeTo: number } {
  const folder = mkdtempSync(join(tmpdir(), 'tunnel-pipe-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const readFrom = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { readFrom, writeTo: openSync(path, 'w') };
}

/** All that lies in the pipe now. */
function readAll(descriptor: number): string {
  const chunk = Buffer.alloc(65_536);
  let text = '';
  for (;;) {
    try {
      const length = readSync(descriptor, chunk);
      if (length === 0) return text;
      text += chunk.toString('utf8', 0, length);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      return text;
    }
  }
}

const linesOf = (text: string): LogLine[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as LogLine);

/** Has the gateway log a line of 16 KB. */
async function logMuch({ adminPort }: GatewayProgram): Promise<void> {
  const path = `/sessions/${'x'.repeat(16_000)}/drain`;
  const { status } = await ask({ port: adminPort, host: 'localhost', path, method: 'POST', body: '' });
  expect(status).toBe(401);
}

async function startAgentOf(
  gateway: GatewayProgram,
  target: number,
  stdout: number,
): Promise<ReturnType<typeof start>> {
  const args = ['--gateway', gateway.dialedAt, '--target', `http://127.0.0.1:${target}`];
  const agent = start('agent', args, { stdout, env: { TUNNEL_TOKEN: tokenFor('alpha') } });
  closeSync(stdout);
  await ready(agent);
  while ((await gateway.ask()).status !== 200);
  return agent;
}

async function stops(child: ReturnType<typeof start>): Promise<void> {
  const end = finished(child);
  child.send({ type: 'stop' });
  expect(await end).toMatchObject({ code: 0, err: '' });
}

describe.skipIf(process.platform === 'win32')('programs whose log pipe', () => {
  it('is closed serve on, and end as asked', async () => {
    const origin = await listen((request, response) => {
      if (request.url === '/refused')
        request.socket.destroy(); // the agent logs it
      else response.end('served');
    });
    const [gatewayPipe, agentPipe] = [openPipe(), openPipe()];
    const gateway = await startGateway([], { stdout: gatewayPipe.writeTo });
    closeSync(gatewayPipe.writeTo);
    const agent = await startAgentOf(gateway, origin, agentPipe.writeTo);
    expect(linesOf(readAll(gatewayPipe.readFrom))[0]).toMatchObject({ event: 'gateway listening' });
    closeSync(gatewayPipe.readFrom);
    closeSync(agentPipe.readFrom);
    for (let count = 0; count < 3; count += 1) {
      expect((await gateway.ask({ path: '/refused' })).status).toBe(502);
      expect((await gateway.ask()).body).toBe('served');
    }
    await stops(agent);
    await stops(gateway.child);
  });

  it('is read by nobody serve on, hold a bounded number of lines, and tell how many were lost', async () => {
    const pipe = openPipe();
    onTestFinished(() => closeSync(pipe.readFrom));
    const gateway = await startGateway([], { stdout: pipe.writeTo });
    closeSync(pipe.writeTo);
    const before = await measure(gateway.child);
    const asked = 1_000;
    for (let count = 0; count < asked; count += 20) {
      await Promise.all(Array.from({ length: 20 }, () => logMuch(gateway)));
    }
    expect(await measure(gateway.child)).toBeLessThan(before + 100 * MIB);
    // Once somebody reads, the lines that waited come, and behind them how many did not.
    let text = readAll(pipe.readFrom);
    while (!text.includes('log lines lost')) {
      await gateway.ask({ host: 'nobody.example' }); // what has one more line logged
      text += readAll(pipe.readFrom);
    }
    const lines = linesOf(text);
    const lost = lines.filter(({ event }) => event === 'log lines lost');
    const kept = lines.filter(({ event }) => event === 'admin refused');
    expect(kept.length).toBeLessThan((2 * MIB) / 16_000);
    expect(lost[0]?.lines).toBeGreaterThanOrEqual(asked - kept.length);
    await stops(gateway.child);
  });
});

describe.skipIf(!existsSync('/dev/full'))('programs whose log disk is full', () => {
  it('serve on, and end as asked', async () => {
    const origin = await listen((_request, response) => response.end('served'));
    const full = openSync('/dev/full', 'w');
    const gateway = await startGateway([], { stdout: full });
    const agent = await startAgentOf(gateway, origin, full);
    for (let count = 0; count < 3; count += 1) expect((await gateway.ask()).body).toBe('served');
    await stops(agent);
    await stops(gateway.child);
  });
});
