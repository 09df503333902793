// The certificate of a public port with TLS, and its replacement after a renewal.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { WatchedFiles } from '../watched-files.ts';

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
  return readPair(certFile, keyFile);
}

/** The files of a certificate, read again when they change: a renewed one needs no restart. */
export class CertificateFiles {
  readonly #files: WatchedFiles<Certificate>;
  #current: Certificate;

  /** @throws as readCertificate(). */
  constructor(certFile: string, keyFile: string) {
    this.#files = new WatchedFiles([certFile, keyFile], () => readPair(certFile, keyFile));
    this.#current = this.#files.current;
    this.watch(
      () => {},
      () => {},
    );
  }

  get current(): Certificate {
    return this.#current;
  }

  /** Calls `onChange` with a new certificate, and `onError` for unusable files: the old certificate stays in use. One of each only. */
  watch(onChange: (certificate: Certificate) => void, onError: (error: Error) => void): void {
    this.#files.watch((next) => {
      if (next.cert === this.#current.cert && next.key === this.#current.key) return;
      try {
        onChange(next);
        this.#current = next;
      } catch (error) {
        onError(error as Error);
      }
    }, onError);
  }

  /** Reads the files again now. Without a call this happens within a second of a change. */
  reload(): void {
    this.#files.reload();
  }

  /** Lets go of the files. */
  close(): void {
    this.#files.close();
  }
}

/** The expiry of the certificate, the first in its PEM, in milliseconds since 1970. */
export function expiryOf({ cert }: Certificate): number {
  return Date.parse(new X509Certificate(cert).validTo);
}

function readPair(certFile: string, keyFile: string): Certificate {
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
