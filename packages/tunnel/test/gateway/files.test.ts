// Files that change while the gateway runs: keys, revocations and the certificate. Nothing is dropped for it, and a bad file changes nothing.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { dial } from '@zishuo/yamux-websocket';
import { SignJWT } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Certificate, CertificateFiles } from '../../src/gateway/certificate.ts';
import { Revocations } from '../../src/gateway/revocations.ts';
import { TokenKeys } from '../../src/token-keys.ts';
import { certificate, renewed } from '../support/certificate.ts';
import { ask } from '../support/http.ts';
import { Logged, ready, start } from '../support/programs.ts';
import { type Gateway, HOST, SECRET, startAgent, startGateway, tokenFor } from '../support/tunnel.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tunnel-files-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** As tools do it that replace a file whole. */
function replace(path: string, content: string): void {
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

async function dialBy({ port }: Gateway, token: string): Promise<void> {
  const session = await dial(`ws://127.0.0.1:${port}/connect`, { headers: { Authorization: `Bearer ${token}` } });
  session.on('error', () => {});
  onTestFinished(() => session.destroy());
}

interface Key {
  readonly jwk: object;
  token(agent: string): Promise<string>;
}

function key(kid: string): Key {
  const secret = randomBytes(32);
  return {
    jwk: { kty: 'oct', kid, k: secret.toString('base64url') },
    token: (agent) =>
      new SignJWT({ routes: [HOST] })
        .setProtectedHeader({ alg: 'HS256', kid })
        .setSubject(agent)
        .setExpirationTime('1h')
        .sign(secret),
  };
}

describe('the file of keys', () => {
  it('that changes adds keys and takes them away; sessions that are there stay, and a bad file changes nothing', async () => {
    const path = join(folder(), 'keys.json');
    const [old, next] = [key('old'), key('next')];
    const write = (...keys: Key[]): void => replace(path, JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
    write(old);
    const keys = new TokenKeys({ file: path });
    const gateway = await startGateway({ secret: undefined, keys });
    await dialBy(gateway, await old.token('alpha'));
    await expect(dialBy(gateway, await next.token('bravo'))).rejects.toMatchObject({ status: 401 });

    write(old, next);
    keys.reload(); // that it looks by itself is seen below
    await dialBy(gateway, await next.token('bravo'));
    await dialBy(gateway, await old.token('charlie'));

    const told = gateway.logged('keys not read');
    replace(path, '{"keys":');
    expect((await told).error).toContain(path);
    await dialBy(gateway, await old.token('delta'));

    write(next);
    keys.reload();
    await expect(dialBy(gateway, await old.token('echo'))).rejects.toMatchObject({ status: 401 });
    await dialBy(gateway, await next.token('foxtrot'));
    const there = [...gateway.gateway.routes.sessions].map(({ claims }) => claims.agent);
    expect(there).toEqual(['alpha', 'bravo', 'charlie', 'delta', 'foxtrot']);
  });
});

describe('the file of revocations', () => {
  it('that changes ends sessions and refuses them; a bad one, or none, changes nothing', async () => {
    const path = join(folder(), 'revoked');
    replace(path, '');
    const revocations = new Revocations(path);
    const gateway = await startGateway({ revocations });
    await startAgent(gateway, { name: 'alpha', origin: (_request, response) => response.end('alpha') });
    await startAgent(gateway, { name: 'bravo', origin: (_request, response) => response.end('bravo') });
    const gone = gateway.logged('agent gone');
    replace(path, 'agent alpha\n');
    expect(await gone).toMatchObject({ agent: 'alpha' });
    await expect(dialBy(gateway, tokenFor('alpha'))).rejects.toMatchObject({ status: 403 });
    expect((await ask({ port: gateway.port })).body).toBe('bravo');

    for (const spoil of [() => replace(path, 'everybody\n'), () => rmSync(path)]) {
      const told = gateway.logged('revocations not read');
      spoil();
      expect((await told).error).toContain(path);
      await expect(dialBy(gateway, tokenFor('alpha'))).rejects.toMatchObject({ status: 403 });
    }
    replace(path, '# nobody\n');
    revocations.reload();
    await dialBy(gateway, tokenFor('alpha'));
  });
});

/** By whose certificate a new connection is met. */
async function met(port: number): Promise<string> {
  const socket: TLSSocket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}

describe('the certificate', () => {
  it('that is renewed meets new connections, on the port of the agents too; those that are there go on', async () => {
    const gateway = await startGateway({ tls: certificate, agentPort: 0 });
    const agentsPort = Number(new URL(gateway.gateway.agentUrl).port);
    const kept = connect({ port: gateway.port, host: '127.0.0.1', rejectUnauthorized: false });
    onTestFinished(() => void kept.destroy());
    await once(kept, 'secureConnect');
    expect(await Promise.all([met(gateway.port), met(agentsPort)])).not.toContain('renewed');
    gateway.gateway.setCertificate(renewed);
    expect(await Promise.all([met(gateway.port), met(agentsPort)])).toEqual(['renewed', 'renewed']);
    expect(() => gateway.gateway.setCertificate({ cert: 'none', key: 'none' })).toThrow();
    expect(await met(gateway.port)).toBe('renewed');
    kept.write('GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n');
    expect(String((await once(kept, 'data'))[0])).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('is none for a gateway that speaks plain HTTP', async () => {
    const { gateway } = await startGateway();
    expect(() => gateway.setCertificate(certificate)).toThrow(TypeError);
  });

  it('in files is told when they change and fit together, and never when they do not', async () => {
    const path = folder();
    const [cert, keyPath] = [join(path, 'cert'), join(path, 'key')];
    replace(cert, certificate.cert);
    replace(keyPath, certificate.key);
    const files = new CertificateFiles(cert, keyPath);
    onTestFinished(() => files.close());
    const told: string[] = [];
    files.watch(
      (next) => told.push(next.cert === renewed.cert ? 'renewed' : 'another'),
      (error) => told.push(error.message),
    );
    replace(cert, renewed.cert);
    files.reload();
    expect(told.splice(0)).toEqual([expect.stringContaining('expected --tls-key to be the key of the certificate')]);
    expect(files.current.cert).toBe(certificate.cert);
    replace(keyPath, renewed.key);
    files.reload();
    files.reload(); // nothing has changed since
    expect(told.splice(0)).toEqual(['renewed']);
    rmSync(cert);
    files.reload();
    expect(told.splice(0)).toEqual([expect.stringContaining('ENOENT')]);
    expect(files.current.cert).toBe(renewed.cert);
  });

  it.skipIf(process.platform === 'win32')('of the program is read again when it changes, and on SIGHUP', async () => {
    const path = folder();
    const [cert, keyPath] = [join(path, 'cert'), join(path, 'key')];
    const put = (next: Certificate): void => {
      replace(keyPath, next.key);
      replace(cert, next.cert);
    };
    put(certificate);
    const args = ['--port', '0', '--admin-port', 'none', '--tls-cert', cert, '--tls-key', keyPath];
    const child = start('gateway', args, { env: { TUNNEL_SECRET: SECRET } });
    const logged = new Logged(child);
    const port = Number(new URL((await ready(child)).url).port);
    const kept = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    onTestFinished(() => void kept.destroy());
    await once(kept, 'secureConnect');

    const before = await met(port);
    put(renewed);
    expect(await logged.next('certificate read')).toMatchObject({ expires: expect.stringMatching(/^\d{4}-/) });
    expect(await met(port)).toBe('renewed');

    replace(cert, 'rubbish');
    child.kill('SIGHUP');
    expect(await logged.next('certificate not read')).toMatchObject({ error: expect.stringContaining(cert) });
    expect(await met(port)).toBe('renewed');

    put(certificate);
    child.kill('SIGHUP');
    await logged.next('certificate read');
    expect(await met(port)).toBe(before);
    kept.write('GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n');
    expect(String((await once(kept, 'data'))[0])).toMatch(/^HTTP\/1\.1 404 /);
  });
});
