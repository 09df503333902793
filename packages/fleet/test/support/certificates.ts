// Certificates of nodes 'a' and 'b' by one authority, and one for 'a' by another: made by openssl, for 100 years.
import { readFileSync } from 'node:fs';
import type { PeerTls } from '../../src/index.ts';

const read = (file: string): string => readFileSync(new URL(`certificates/${file}`, import.meta.url), 'utf8');

/** `file` is that of the certificate; `ca` whom the node believes. */
export function tlsOf(file: 'a' | 'b' | 'stranger', ca: 'fleet-ca' | 'other-ca' = 'fleet-ca'): PeerTls {
  return { cert: read(`${file}.crt`), key: read(`${file}.key`), ca: read(`${ca}.crt`) };
}
