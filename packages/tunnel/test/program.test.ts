import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Notice } from '../src/program.ts';
import { TokenKeys } from '../src/token-keys.ts';
import { certFile, certificate, keyFile } from './support/certificate.ts';
import { ask, listen } from './support/http.ts';
import { HOST, SECRET, tokenFor } from './support/tunnel.ts';

type Program = 'gateway' | 'agent' | 'demo';

function start(program: Program, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = fork(fileURLToPath(new URL(`../src/${program}.ts`, import.meta.url)), args, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, TUNNEL_SECRET: '', TUNNEL_TOKEN: '', TUNNEL_ADMIN_TOKEN: '', ...env },
    execArgv: ['--conditions=@zishuo/source', '--import', 'tsx'],
    silent: true,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function finished(child: ChildProcess): Promise<Run> {
  const [out, err, [code]] = await Promise.all([
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
    once(child, 'exit'),
  ]);
  return { code, out, err };
}

async function ready(child: ChildProcess): Promise<string> {
  return (await readyNotice(child)).url;
}

async function readyNotice(child: ChildProcess): Promise<Notice & { type: 'ready' }> {
  const ended = once(child, 'exit').then(async ([code]) => {
    throw new Error(`the program ended with ${code}: ${await text(child.stderr as NodeJS.ReadableStream)}`);
  });
  const [notice] = (await Promise.race([once(child, 'message'), ended])) as [Notice];
  ended.catch(() => {}); // from now on its end is the test's business
  if (notice.type !== 'ready') throw new Error(`expected the program to be ready, it said ${notice.type}`);
  return notice;
}

describe('the programs', () => {
  it.each(['gateway', 'agent', 'demo'] as const)('%s explains itself', async (program) => {
    const { code, out } = await finished(start(program, ['--help']));
    expect([code, out]).toEqual([0, expect.stringContaining(`Usage: ${program}`)]);
  });

  it.each([
    ['gateway', ['--port', 'eighty'], '--port'],
    ['gateway', ['--prot', '80'], '--prot'],
    ['gateway', ['--tcp', '5432'], 'name of a TCP service'],
    ['gateway', ['--tcp', 'x=db'], '--tcp'],
    ['gateway', ['--affinity', 'tenant'], 'header:<name>'],
    ['gateway', ['--admin-port', 'some'], '--admin-port'],
    ['gateway', ['--balance', 'affinity'], 'least-conn'],
    ['gateway', ['--weight', 'half'], '--weight'],
    ['gateway', ['--tls-cert', certFile], 'expected --tls-key'],
    ['gateway', ['--tls-cert', keyFile, '--tls-key', keyFile], 'expected --tls-cert'],
    ['gateway', ['--issue-token', 'alpha'], 'TUNNEL_SECRET'],
    ['agent', ['--target', 'http://127.0.0.1:1'], '--token'],
    ['agent', ['--token', 'x'], 'target'],
    ['agent', ['--token', 'x', '--target', 'localhost:3000'], 'localhost:3000'],
    ['agent', ['--token', 'x', '--target', 'http://127.0.0.1:1', '--gateway', 'http://x'], '--gateway'],
  ] as const)('%s with %j ends with exit code 2 and says why', async (program, args, why) => {
    const { code, err } = await finished(start(program, args));
    expect([code, err]).toEqual([2, expect.stringContaining(why)]);
  });

  it('gateway issues a token that it takes itself', async () => {
    const args = [
      '--issue-token',
      'alpha',
      '--routes',
      'a.example,b.example/api,tcp:db',
      '--tenant',
      'acme',
      '--weight',
      '3',
    ];
    const { code, out, err } = await finished(start('gateway', args, { TUNNEL_SECRET: SECRET }));
    expect([code, err]).toEqual([0, '']);
    const claims = { agent: 'alpha', tenant: 'acme', weight: 3, routes: ['a.example', 'b.example/api', 'tcp:db'] };
    expect(await new TokenKeys({ secret: SECRET }).verify(out.trim(), Date.now())).toMatchObject(claims);
  });

  it.each([
    ['makes up an admin token, and prints the dashboard with it', '', true],
    [
      'takes the admin token of its environment, and prints it nowhere',
      'a token of the environment'.replaceAll(' ', '-'),
      false,
    ],
  ])('gateway %s', async (_what, given, isPrinted) => {
    const gateway = start('gateway', ['--port', '0', '--admin-port', '0'], {
      TUNNEL_SECRET: SECRET,
      TUNNEL_ADMIN_TOKEN: given,
    });
    const { admin = '' } = await readyNotice(gateway);
    const [url = '', token = ''] = admin.split('#token=');
    expect(token).toMatch(given === '' ? /^[\w-]{43}$/ : new RegExp(`^${given}$`));
    const port = Number(new URL(url).port);
    const drain = { port, host: 'localhost', path: '/sessions/nobody/drain', method: 'POST', body: '' };
    expect((await ask(drain)).status).toBe(401);
    expect((await ask({ ...drain, headers: ['Authorization', `Bearer ${token}`] })).status).toBe(404);
    expect((await ask({ port, host: 'localhost', path: '/metrics' })).body).toContain('process_resident_memory_bytes ');
    const end = finished(gateway);
    gateway.send({ type: 'stop' });
    const { code, out } = await end;
    expect([code, out.includes(token), out.includes(`Dashboard: ${admin}`)]).toEqual([0, isPrinted, isPrinted]);
    expect(out).toContain(`"admin":"${url}"`);
  });

  it('gateway whose admin port is taken says so and leaves nothing behind', async () => {
    const taken = await listen(() => {});
    const args = ['--port', '0', '--admin-port', String(taken)];
    const { code, err } = await finished(start('gateway', args, { TUNNEL_SECRET: SECRET }));
    expect([code, err]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
  });

  const stops: Readonly<Record<string, (child: ChildProcess) => unknown>> = {
    'asked by the process that forked them': (child) => child.send({ type: 'stop' }),
    'left by the process that forked them': (child) => child.disconnect(),
    ...(process.platform === 'win32' ? {} : { 'sent SIGTERM': (child: ChildProcess) => child.kill('SIGTERM') }),
  };

  it.each(Object.entries(stops))('gateway and agent serve, and end with exit code 0 when %s', async (_when, stop) => {
    const origin = await listen((_request, response) => response.end('served'));
    const gateway = start('gateway', ['--port', '0', '--admin-port', '0'], { TUNNEL_SECRET: SECRET });
    const url = await ready(gateway);
    const args = ['--gateway', `${url.replace('http', 'ws')}/connect`, '--target', `http://127.0.0.1:${origin}`];
    const agent = start('agent', args, { TUNNEL_TOKEN: tokenFor('alpha') });
    await ready(agent);
    expect((await ask({ port: Number(new URL(url).port), host: HOST })).body).toBe('served');
    for (const child of [agent, gateway]) {
      const end = finished(child);
      stop(child);
      expect(await end).toMatchObject({ code: 0, err: '' });
    }
  });

  it('gateway with a certificate takes agents that trust it by their environment, and serves https:', async () => {
    const origin = await listen((_request, response) => response.end('served'));
    const args = ['--port', '0', '--admin-port', 'none', '--tls-cert', certFile, '--tls-key', keyFile];
    const gateway = start('gateway', args, { TUNNEL_SECRET: SECRET });
    const url = await ready(gateway);
    const agent = start(
      'agent',
      ['--gateway', `${url.replace('http', 'ws')}/connect`, '--target', `http://127.0.0.1:${origin}`],
      {
        TUNNEL_TOKEN: tokenFor('alpha'),
        NODE_EXTRA_CA_CERTS: certFile,
      },
    );
    await ready(agent);
    expect((await ask({ port: Number(new URL(url).port), host: HOST, ca: certificate.cert })).body).toBe('served');
  });

  it('agent whose token is refused ends with exit code 1 and says so', async () => {
    const gateway = start('gateway', ['--port', '0', '--admin-port', '0'], { TUNNEL_SECRET: SECRET });
    const url = await ready(gateway);
    const args = ['--gateway', `${url.replace('http', 'ws')}/connect`, '--target', 'http://127.0.0.1:1'];
    const { code, err } = await finished(start('agent', [...args, '--token', tokenFor('alpha', [HOST], 1)]));
    expect([code, err]).toEqual([1, expect.stringContaining('401')]);
  });
});
