// A self-signed certificate for 127.0.0.1.
import { generate } from 'selfsigned';
import type { Children } from './children.ts';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export async function certificateIn(children: Children): Promise<CertificateFiles> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'bench' }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  return { cert: children.write('cert.pem', cert), key: children.write('key.pem', key) };
}
