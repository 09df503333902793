// A certificate for the tests, made for each run.

import { generate } from 'selfsigned';

/** The name in the certificate. */
export const NAME = 'inside.example';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export async function certificate(): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: NAME }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: NAME }] }],
  });
  return { cert: made.cert, key: made.private };
}
