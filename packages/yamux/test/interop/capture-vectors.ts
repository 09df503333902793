// Captures the golden vectors anew: `pnpm vectors`, where there is go. Review what changes before it is committed.
import { writeVector } from '../wire-vectors/vectors.ts';
import { buildGoPeer } from './go-build.ts';
import { GoPeer } from './go-peer.ts';

const { executable, missing } = await buildGoPeer();
if (missing !== undefined) throw new Error(`the vectors cannot be captured: ${missing}`);
const peer = new GoPeer(executable);
for (const vector of await peer.vectors()) {
  await writeVector(vector);
  console.log(`${vector.name}: ${vector.frames.length} frames`);
}
await peer.stop();
