import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readCertificate } from '../../src/gateway/certificate.ts';
import { certFile, keyFile } from '../support/certificate.ts';

function file(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'file.pem'), content);
  return join(folder, 'file.pem');
}

const otherKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

describe('the files of a certificate', () => {
  it('are read as they are, and are not needed', () => {
    expect(readCertificate(certFile, keyFile)).toEqual({
      cert: expect.stringMatching(/^-----BEGIN CERTIFICATE-----/),
      key: expect.stringMatching(/^-----BEGIN PRIVATE KEY-----/),
    });
    expect(readCertificate(undefined, undefined)).toBeUndefined();
  });

  it.each<[what: string, cert: () => string | undefined, key: () => string | undefined, message: RegExp]>([
    ['a certificate alone', () => certFile, () => undefined, /^expected --tls-key beside --tls-cert$/],
    ['a key alone', () => undefined, () => keyFile, /^expected --tls-cert beside --tls-key$/],
    ['no such file', () => 'none.pem', () => keyFile, /^expected --tls-cert to be .*"none\.pem": ENOENT/],
    ['no such key', () => certFile, () => 'none.pem', /^expected --tls-key to be .*"none\.pem": ENOENT/],
    ['an empty certificate', () => file(''), () => keyFile, /^expected --tls-cert to be .* in PEM/],
    ['a certificate that is none', () => file('what?'), () => keyFile, /^expected --tls-cert to be .* in PEM/],
    ['a key in place of the certificate', () => keyFile, () => keyFile, /^expected --tls-cert to be .* in PEM/],
    ['a certificate in place of the key', () => certFile, () => certFile, /^expected --tls-key to be .* in PEM/],
    ['the key of another', () => certFile, () => file(otherKey()), /^expected --tls-key to be the key of the cert/],
  ])('%s: says what was expected', (_what, cert, key, message) => {
    expect(() => readCertificate(cert(), key())).toThrow(message);
  });
});
