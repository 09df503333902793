// Writes and reads the twelve bytes of a header. Reading validates nothing: the decoder does.
//
//    0        1        2                 4                          8                          12
//   +--------+--------+-----------------+--------------------------+--------------------------+
//   | version|  type  |      flags      |        stream id         |          length          |
//   +--------+--------+-----------------+--------------------------+--------------------------+

import { PROTOCOL_VERSION } from './constants.ts';

/** Writes a header into `into` at `at`; the caller has made room for HEADER_SIZE bytes. */
export function encodeHeader(
  into: Uint8Array,
  at: number,
  type: number,
  flags: number,
  streamId: number,
  length: number,
): void {
  // Single bytes: on Node 20 several times faster than DataView or Buffer.writeUInt32BE for a header.
  into[at] = PROTOCOL_VERSION;
  into[at + 1] = type;
  into[at + 2] = flags >>> 8;
  into[at + 3] = flags;
  into[at + 4] = streamId >>> 24;
  into[at + 5] = streamId >>> 16;
  into[at + 6] = streamId >>> 8;
  into[at + 7] = streamId;
  into[at + 8] = length >>> 24;
  into[at + 9] = length >>> 16;
  into[at + 10] = length >>> 8;
  into[at + 11] = length;
}

/** The unsigned 16-bit number at `at`. */
export function readUint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** The unsigned 32-bit number at `at`. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}
