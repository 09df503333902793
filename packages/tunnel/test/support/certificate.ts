// A certificate for localhost and 127.0.0.1 that vouches for itself, valid until 2120. Its key is no secret: nobody should trust it.
import { fileURLToPath } from 'node:url';
import { type Certificate, readCertificate } from '../../src/gateway/certificate.ts';

const path = (name: string): string => fileURLToPath(new URL(`certificate/${name}.pem`, import.meta.url));

export const certFile: string = path('cert');
export const keyFile: string = path('key');
export const certificate: Certificate = readCertificate(certFile, keyFile) as Certificate;
