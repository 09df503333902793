// Captures the golden vectors anew: `pnpm vectors`, where there is go. Review what changes before it is committed.
import { writeVector } from '../wire-vectors/vectors.ts';
import { buildGoPeer } from './go-build.ts';
import { GoPeer } from './go-peer.ts';

const build = await buildGoPeer();
if (build.missing !== undefined) throw new Error(`the vectors cannot be captured: ${build.missing}`);
const peer = new GoPeer(build.executable);
for (const vector of await peer.vectors()) {
  await writeVector(vector);
  console.log(`${vector.name}: ${vector.frames.length} frames`);
}
await peer.stop();
await build.discard();
