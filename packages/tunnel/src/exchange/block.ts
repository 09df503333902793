// Blocks: the protocol of gateway and agent on a stream, besides bodies. A block is one byte for its kind, three for its length, and text: latin1 fields
// separated by line feeds, which no part of an HTTP head can contain. The head of a message is parsed once, by the node:http that receives it. It is
// never parsed again, and the end of a body is never guessed.
import { TunnelError } from '../errors.ts';

export const BlockKind = {
  /** Gateway to agent, the first block of a stream: an HTTP request, or CONNECT with the name of a TCP service as its target. */
  Request: 1,
  /** Agent to gateway: the target is connected. The request can no longer be sent elsewhere. */
  Taken: 2,
  /** A 1xx other than 101. */
  Interim: 3,
  /** The final head. Its body follows. */
  Answer: 4,
  /** 101, or a connected TCP target. All following bytes, in both directions, belong to the joined connections. */
  Switch: 5,
  /** There is no answer. */
  Failure: 6,
  /** Some bytes of a body of unknown length. */
  Piece: 7,
  /** The end of a body of unknown length, with its trailers. */
  Trailers: 8,
} as const;
export type BlockKind = (typeof BlockKind)[keyof typeof BlockKind];

/** The body of a message: so many bytes, which follow as they are, or one of the two below. */
export type Body = number;
/** There is no body, whatever the headers say. */
export const NO_BODY: Body = -1;
/** A body of unknown length: pieces, then trailers. */
export const PIECES: Body = -2;

/** The header of the upgrade by which an agent says that it speaks blocks, and its value for this form of them. */
export const EXCHANGE_HEADER = 'tunnel-exchange';
export const EXCHANGE_VERSION = '1';

/** Bytes of a body that the gateway keeps. It sends no more than that before the target is connected. */
export const HELD_BODY = 65_536;

/** Bytes of a block before its text. */
export const PREFIX = 4;
/** The largest block that either side sends. What a side takes may be less. */
export const MAX_BLOCK: number = 1024 * 1024;

/** All headers are [name, value, name, value, …]. */
export type RawHeaders = readonly string[];

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly body: Body;
  /** The protocol of Upgrade; empty for none. */
  readonly upgrade: string;
  readonly headers: RawHeaders;
}

export interface AnswerHead {
  readonly status: number;
  readonly reason: string;
  readonly body: Body;
  readonly headers: RawHeaders;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  /** Nothing has reached the target, so another agent may be tried. */
  readonly isUnsent: boolean;
}

/** @throws TunnelError with ERR_TUNNEL_PROTOCOL for one that is too large. */
export function encodeBlock(kind: BlockKind, fields: readonly string[]): Buffer {
  const text = fields.join('\n');
  if (text.length > MAX_BLOCK) throw protocolError(`expected a head of at most ${MAX_BLOCK} bytes, got ${text.length}`);
  const block = Buffer.allocUnsafe(PREFIX + text.length);
  writePrefix(block, kind, text.length);
  block.write(text, PREFIX, 'latin1');
  return block;
}

export function writePrefix(block: Buffer, kind: BlockKind, length: number): void {
  block[0] = kind;
  block[1] = length >>> 16;
  block[2] = length >>> 8;
  block[3] = length;
}

export function requestBlock({ method, target, body, upgrade, headers }: RequestHead): Buffer {
  return encodeBlock(BlockKind.Request, [method, target, String(body), upgrade, ...headers]);
}

export function answerBlock({ status, reason, body, headers }: AnswerHead): Buffer {
  return encodeBlock(BlockKind.Answer, [String(status), reason, String(body), ...headers]);
}

/** An interim response or a switch of protocols. Neither has a body. */
export function statusBlock(
  kind: typeof BlockKind.Interim | typeof BlockKind.Switch,
  status: number,
  reason: string,
  headers: RawHeaders,
): Buffer {
  return encodeBlock(kind, [String(status), reason, ...headers]);
}

export function failureBlock({ code, message, isUnsent }: Failure): Buffer {
  // The message of an error may contain any character.
  const plain = message.replace(/[^\t\x20-\x7e]/g, '?').slice(0, 500);
  return encodeBlock(BlockKind.Failure, [code, plain, isUnsent ? '1' : '']);
}

/** @throws TunnelError with ERR_TUNNEL_PROTOCOL, as all below. */
export function readRequest(text: string): RequestHead {
  const [method = '', target = '', body = '', upgrade = '', ...headers] = text.split('\n');
  return { method, target, body: bodyOf(body), upgrade, headers: paired(headers) };
}

export function readAnswer(text: string): AnswerHead {
  const [status = '', reason = '', body = '', ...headers] = text.split('\n');
  return { status: statusOf(status), reason, body: bodyOf(body), headers: paired(headers) };
}

export function readStatus(text: string): Omit<AnswerHead, 'body'> {
  const [status = '', reason = '', ...headers] = text.split('\n');
  return { status: statusOf(status), reason, headers: paired(headers) };
}

export function readFailure(text: string): Failure {
  const [code = '', message = '', isUnsent = ''] = text.split('\n');
  if (!/^[A-Z][A-Z\d_]{0,63}$/.test(code)) throw protocolError('expected the code of a failure');
  return { code, message, isUnsent: isUnsent === '1' };
}

export function readHeaders(text: string): RawHeaders {
  return text === '' ? [] : paired(text.split('\n'));
}

export function protocolError(message: string): TunnelError {
  return new TunnelError('ERR_TUNNEL_PROTOCOL', message);
}

function bodyOf(text: string): Body {
  const body = Number(text);
  if (text === '' || !Number.isSafeInteger(body) || body < PIECES) throw protocolError('expected the length of a body');
  return body;
}

function statusOf(text: string): number {
  if (!/^[1-9]\d\d$/.test(text)) throw protocolError('expected a status of three digits');
  return Number(text);
}

function paired(headers: RawHeaders): RawHeaders {
  if (headers.length % 2 !== 0) throw protocolError('expected a value for each header');
  return headers;
}
