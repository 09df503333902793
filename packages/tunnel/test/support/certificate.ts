// Certificates for localhost and 127.0.0.1 that vouch for themselves, valid until 2119. Their keys are no secrets: nobody should trust them.
import { fileURLToPath } from 'node:url';
import { type Certificate, readCertificate } from '../../src/gateway/certificate.ts';

const path = (name: string): string => fileURLToPath(new URL(`certificate/${name}.pem`, import.meta.url));

export const certFile: string = path('cert');
export const keyFile: string = path('key');
export const certificate: Certificate = readCertificate(certFile, keyFile) as Certificate;
/** Another one. Its subject is `renewed`. */
export const renewed: Certificate = readCertificate(path('renewed-cert'), path('renewed-key')) as Certificate;
