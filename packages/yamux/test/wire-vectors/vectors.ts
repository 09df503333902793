// What hashicorp/yamux put on the wire: captured from it by test/interop/capture-vectors.ts, one file a side of a scene, never
// written by hand and never by our own encoder.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Vector {
  /** The scene, and which side of it sent this. */
  readonly name: string;
  readonly hex: string;
  /** What it says, read by the letter of the specification. */
  readonly frames: readonly string[];
}

const folder = import.meta.dirname;

/** All of them, by name. */
export async function readVectors(): Promise<Vector[]> {
  const names = (await readdir(folder))
    .filter((name) => name.endsWith('.json'))
    .sort((a, b) => a.localeCompare(b, 'en'));
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as Vector));
}

export async function writeVector({ name, hex, frames }: Vector): Promise<void> {
  const lines = [`"name": ${JSON.stringify(name)}`, `"hex": ${JSON.stringify(hex)}`, `"frames": ${list(frames)}`];
  await writeFile(join(folder, `${name}.json`), `{\n  ${lines.join(',\n  ')}\n}\n`);
}

/** As the formatter has it: on one line if it fits. */
function list(frames: readonly string[]): string {
  const texts = frames.map((frame) => JSON.stringify(frame));
  const onOneLine = `[${texts.join(', ')}]`;
  return `  "frames": ${onOneLine}`.length <= 120 ? onOneLine : `[\n    ${texts.join(',\n    ')}\n  ]`;
}
