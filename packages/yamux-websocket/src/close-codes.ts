// The two tables of WebSocket close codes: the meaning of a received code, and the code that this end sends. Pure.

/** How a WebSocket ended. */
export interface SocketClose {
  /** The close code of RFC 6455. 1005: the close frame had no code. 1006: there was no close frame. */
  readonly code: number;
  /** The text of the close frame; empty if there is none. */
  readonly reason: string;
  /** Whether there was a closing handshake. */
  readonly wasClean: boolean;
  /** `'local'`: this end sent the close frame first, or terminated the connection. */
  readonly initiator: 'local' | 'remote';
}

/** A close frame to send. */
export interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

/** After these codes the received bytes are complete. After any other code they may be truncated, and the byte stream errors. */
const CLEAN: ReadonlySet<number> = new Set([1000, 1001, 1005, 1012]);

const MEANING: Readonly<Record<number, string>> = {
  1000: 'normal closure',
  1001: 'going away',
  1002: 'protocol error',
  1003: 'unsupported data',
  1005: 'no code',
  1006: 'no close frame',
  1007: 'invalid data',
  1008: 'policy violation',
  1009: 'message too big',
  1010: 'missing extension',
  1011: 'internal error',
  1012: 'service restart',
  1013: 'try again later',
  1014: 'bad gateway',
  4401: 'unauthorized',
  4403: 'forbidden',
  4409: 'replaced by another connection',
};

/** Whether a received code ends the byte stream cleanly. The echo of the code that this end sent does too: the peer only confirmed it. */
export function isCleanEnd(code: number, sent: CloseFrame | undefined): boolean {
  return CLEAN.has(code) || code === sent?.code;
}

/** For messages: `1011 (internal error): the peer's reason`. */
export function describeClose(code: number, reason: string): string {
  const meaning = MEANING[code];
  return `${code}${meaning === undefined ? '' : ` (${meaning})`}${reason === '' ? '' : `: ${reason}`}`;
}

export const NORMAL: CloseFrame = { code: 1000, reason: '' };
export const DRAINING: CloseFrame = { code: 1001, reason: 'draining' };
export const TEXT_REFUSED: CloseFrame = { code: 1003, reason: 'binary messages only' };
export const POLICY: CloseFrame = { code: 1008, reason: 'too many empty messages' };
export const TOO_LARGE: CloseFrame = { code: 1009, reason: 'message too big' };
export const INTERNAL: CloseFrame = { code: 1011, reason: 'internal error' };

/**
 * The close frame at the end of a session: 1002 and the message of the error after a protocol violation, else `otherwise`. A session that ends
 * with any other error terminates the WebSocket without a close frame.
 */
export function closeFrameAfter(errored: Error | null | undefined, otherwise: CloseFrame = NORMAL): CloseFrame {
  return errored ? { code: 1002, reason: closeReason(errored.message) } : otherwise;
}

/** A close frame holds 125 bytes: 2 bytes of code and the reason. */
const MAX_REASON_BYTES = 123;

/** The text, cut at a character boundary to the size of a close reason. */
export function closeReason(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_REASON_BYTES) return bytes.toString();
  let end = MAX_REASON_BYTES;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--; // 10xxxxxx continues a character: step back to its first byte
  return bytes.toString('utf8', 0, end);
}
