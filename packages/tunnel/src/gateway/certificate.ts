// Who the gateway is, on a public port that speaks TLS.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** In PEM, as node:tls takes them. */
export interface Certificate {
  /** And after it those between it and the root, if any. */
  readonly cert: string;
  readonly key: string;
}

/**
 * From the files of --tls-cert and --tls-key; undefined without either.
 *
 * @throws TypeError that names the flag: one without the other, a file that cannot be read or is no PEM, the key of another certificate.
 */
export function readCertificate(certFile: string | undefined, keyFile: string | undefined): Certificate | undefined {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    const [given, missing] = keyFile === undefined ? ['--tls-cert', '--tls-key'] : ['--tls-key', '--tls-cert'];
    throw new TypeError(`expected ${missing} beside ${given}`);
  }
  const [cert, certificate] = parsed('--tls-cert', certFile, 'certificate', (pem) => new X509Certificate(pem));
  const [key, privateKey] = parsed('--tls-key', keyFile, 'private key', (pem) => createPrivateKey(pem));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new TypeError(`expected --tls-key to be the key of the certificate in "${certFile}", got "${keyFile}"`);
  }
  return { cert, key };
}

function parsed<T>(flag: string, file: string, what: string, parse: (pem: string) => T): [pem: string, value: T] {
  try {
    const pem = readFileSync(file, 'utf8');
    return [pem, parse(pem)];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TypeError(`expected ${flag} to be a file with a ${what} in PEM, got "${file}": ${why}`);
  }
}
