// The golden vectors in test/wire-vectors are what hashicorp/yamux sends, and not what it once sent or what somebody made of it.
import { expect, inject, test } from 'vitest';
import { readVectors } from '../wire-vectors/vectors.ts';
import { GoPeer } from './go-peer.ts';

const executable = inject('goPeer');

test.skipIf(executable === null)('what hashicorp/yamux sends now is what was captured', async () => {
  const peer = new GoPeer(executable as string);
  try {
    const captured = await peer.vectors();
    const byName = [...captured].sort((a, b) => a.name.localeCompare(b.name, 'en'));
    expect(byName).toEqual(await readVectors());
  } finally {
    await peer.stop();
  }
});
