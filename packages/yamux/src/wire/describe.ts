// Describes a frame in readable form, for traces, error messages and tests.

import { Flag, FrameType, HEADER_SIZE, PROTOCOL_VERSION } from './constants.ts';
import { readUint16, readUint32 } from './header.ts';

const TYPE_NAMES = ['DATA', 'WINDOW_UPDATE', 'PING', 'GO_AWAY'] as const;

/** 'DATA SYN|FIN id=3 len=512'. */
export function describeHeader(type: number, flags: number, streamId: number, length: number): string {
  const name = TYPE_NAMES[type] ?? `TYPE_${type}`;
  const named = describeFlags(flags);
  return `${name}${named === '' ? '' : ` ${named}`} id=${streamId} len=${length}`;
}

/**
 * The frame that `bytes` begins with, in one line: 'WINDOW_UPDATE SYN id=1 len=0'. Says so when there are fewer than the twelve bytes
 * of a header, when the version is unknown, or when a Data frame's payload is not whole.
 */
export function describeFrame(bytes: Uint8Array): string {
  if (bytes.length < HEADER_SIZE) return `(a header needs ${HEADER_SIZE} bytes, got ${bytes.length})`;
  const type = bytes[1] as number;
  const length = readUint32(bytes, 8);
  const text = describeHeader(type, readUint16(bytes, 2), readUint32(bytes, 4), length);
  if (bytes[0] !== PROTOCOL_VERSION) return `${text} (version ${bytes[0]}, expected ${PROTOCOL_VERSION})`;
  const missing = type === FrameType.Data ? length - (bytes.length - HEADER_SIZE) : 0;
  return missing > 0 ? `${text} (${missing} bytes of payload missing)` : text;
}

function describeFlags(flags: number): string {
  const names: string[] = [];
  if (flags & Flag.Syn) names.push('SYN');
  if (flags & Flag.Ack) names.push('ACK');
  if (flags & Flag.Fin) names.push('FIN');
  if (flags & Flag.Rst) names.push('RST');
  if (flags > 0xf) names.push(`0x${(flags & ~0xf).toString(16)}`);
  return names.join('|');
}
