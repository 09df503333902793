// Decodes bytes into one line for each frame, up to the first byte that cannot be Yamux.
import { inspect } from 'node:util';
import { describeFrame, FrameType } from '@zishuo/yamux';

const HEADER_SIZE = 12;
const PREVIEW = 32;

export interface Dump {
  readonly lines: readonly string[];
  /** Why decoding stopped before the end; undefined if all bytes are whole frames. */
  readonly problem: string | undefined;
}

export function dump(bytes: Buffer): Dump {
  const lines: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const rest = bytes.subarray(at);
    const problem = problemOf(rest);
    if (problem !== undefined) return { lines, problem: `${offset(at)}  ${problem}` };
    const isData = rest[1] === FrameType.Data;
    const payload = isData ? rest.subarray(HEADER_SIZE, HEADER_SIZE + rest.readUInt32BE(8)) : rest.subarray(0, 0);
    lines.push(`${offset(at)}  ${describeFrame(rest)}${preview(payload)}`);
    at += HEADER_SIZE + payload.length;
  }
  return { lines, problem: bytes.length === 0 ? 'There are no bytes' : undefined };
}

/** Says why no whole frame begins at these bytes. */
function problemOf(bytes: Buffer): string | undefined {
  const [version, type = 0] = bytes;
  if (version !== 0) return `no Yamux: version 0 expected, got ${version} (${hex(bytes)})${suspicion(bytes)}`;
  if (type > FrameType.GoAway) return `no Yamux: a type from 0 to 3 expected, got ${type} (${hex(bytes)})`;
  if (bytes.length < HEADER_SIZE) return `cut inside a header: 12 bytes expected, got ${bytes.length} (${hex(bytes)})`;
  const missing = type === FrameType.Data ? HEADER_SIZE + bytes.readUInt32BE(8) - bytes.length : 0;
  return missing > 0 ? `cut inside a frame: ${describeFrame(bytes)}` : undefined;
}

function suspicion(bytes: Buffer): string {
  if (bytes[0] === 0x16 && bytes[1] === 3) return '. It looks like TLS: what is inside has to be captured';
  if (/^([A-Z]+ \/|HTTP\/)/.test(bytes.toString('latin1', 0, 16))) return '. It looks like HTTP';
  if (bytes[0] === 0x82) return '. It looks like a WebSocket frame: its payload has to be captured';
  return '';
}

function preview(payload: Buffer): string {
  if (payload.length === 0) return '';
  const text = payload.toString('latin1', 0, PREVIEW);
  return `  ${inspect(text)}${payload.length > PREVIEW ? '…' : ''}`;
}

function offset(at: number): string {
  return String(at).padStart(8);
}

function hex(bytes: Buffer): string {
  const shown = bytes.toString('hex', 0, HEADER_SIZE).replace(/..(?=.)/g, '$& ');
  return bytes.length > HEADER_SIZE ? `${shown} …` : shown;
}
