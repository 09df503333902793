import type { ChildProcess } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { TokenKeys } from '../src/token-keys.ts';
import { certFile, certificate, keyFile } from './support/certificate.ts';
import { ask, listen } from './support/http.ts';
import { finished, ready, start } from './support/programs.ts';
import { HOST, SECRET, tokenFor } from './support/tunnel.ts';

describe('the programs', () => {
  it.each([
    ['gateway', 'tunnel-gateway'],
    ['agent', 'tunnel-agent'],
    ['demo', 'demo'],
  ] as const)('%s explains itself, by the name that it is installed by', async (program, name) => {
    const { code, out } = await finished(start(program, ['--help']));
    expect([code, out]).toEqual([0, expect.stringMatching(new RegExp(`^Usage: ${name} `))]);
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
    ['agent', ['--token-file', 'none', '--target', 'http://127.0.0.1:1'], 'expected --token-file to be a file'],
    ['agent', ['--token', 'x', '--target', 'https://127.0.0.1:1', '--target-ca', keyFile], 'expected --target-ca'],
    ['gateway', ['--keys', 'none.json'], 'none.json'],
    ['gateway', ['--revoked', 'none.txt'], 'none.txt'],
    ['gateway', ['--jwks-url', 'http://'], 'expected --jwks-url'],
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
    const { code, out, err } = await finished(start('gateway', args, { env: { TUNNEL_SECRET: SECRET } }));
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
      env: { TUNNEL_SECRET: SECRET, TUNNEL_ADMIN_TOKEN: given },
    });
    const { admin = '' } = await ready(gateway);
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
    const { code, err } = await finished(start('gateway', args, { env: { TUNNEL_SECRET: SECRET } }));
    const said = `EADDRINUSE: 127.0.0.1:${taken} is in use: end what listens there, or choose another port by --admin-port\n`;
    expect([code, err]).toEqual([1, said]);
  });

  it.each(['--port', '--tcp'])('gateway whose %s is taken says so in one line', async (flag) => {
    const taken = String(await listen(() => {}));
    const args = flag === '--tcp' ? ['--port', '0', flag, `${taken}=db`] : [flag, taken];
    const { code, err } = await finished(
      start('gateway', [...args, '--admin-port', '0'], { env: { TUNNEL_SECRET: SECRET } }),
    );
    const said = `EADDRINUSE: 127.0.0.1:${taken} is in use: end what listens there, or choose another port by ${flag}\n`;
    expect([code, err]).toEqual([1, said]);
  });

  it.each([
    ['192.0.2.1', 'EADDRNOTAVAIL: this machine has no address 192.0.2.1: give --host one that it has'],
    ['no-such-host.invalid', ': no-such-host.invalid has no address: check --host'],
  ])('gateway with --host %s says what is wrong in one line', async (host, why) => {
    const args = ['--host', host, '--port', '0', '--admin-port', 'none'];
    const { code, err } = await finished(start('gateway', args, { env: { TUNNEL_SECRET: SECRET } }));
    expect([code, err]).toEqual([1, expect.stringContaining(why)]);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  const stops: Readonly<Record<string, (child: ChildProcess) => unknown>> = {
    'asked by the process that forked them': (child) => child.send({ type: 'stop' }),
    'left by the process that forked them': (child) => child.disconnect(),
    ...(process.platform === 'win32' ? {} : { 'sent SIGTERM': (child: ChildProcess) => child.kill('SIGTERM') }),
  };

  it.each(Object.entries(stops))('gateway and agent serve, and end with exit code 0 when %s', async (_when, stop) => {
    const origin = await listen((_request, response) => response.end('served'));
    const gateway = start('gateway', ['--port', '0', '--admin-port', '0'], { env: { TUNNEL_SECRET: SECRET } });
    const { url } = await ready(gateway);
    const args = ['--gateway', `${url.replace('http', 'ws')}/connect`, '--target', `http://127.0.0.1:${origin}`];
    const agent = start('agent', args, { env: { TUNNEL_TOKEN: tokenFor('alpha') } });
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
    const gateway = start('gateway', args, { env: { TUNNEL_SECRET: SECRET } });
    const { url } = await ready(gateway);
    const agent = start(
      'agent',
      ['--gateway', `${url.replace('http', 'ws')}/connect`, '--target', `http://127.0.0.1:${origin}`],
      {
        env: { TUNNEL_TOKEN: tokenFor('alpha'), NODE_EXTRA_CA_CERTS: certFile },
      },
    );
    await ready(agent);
    expect((await ask({ port: Number(new URL(url).port), host: HOST, ca: certificate.cert })).body).toBe('served');
  });

  it('agent whose token is refused ends with exit code 1 and says so', async () => {
    const gateway = start('gateway', ['--port', '0', '--admin-port', '0'], { env: { TUNNEL_SECRET: SECRET } });
    const { url } = await ready(gateway);
    const args = ['--gateway', `${url.replace('http', 'ws')}/connect`, '--target', 'http://127.0.0.1:1'];
    const { code, err } = await finished(start('agent', [...args, '--token', tokenFor('alpha', [HOST], 1)]));
    expect([code, err]).toEqual([1, expect.stringContaining('401')]);
  });
});
