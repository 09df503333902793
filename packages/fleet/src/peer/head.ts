// The head of a stream between nodes, and its answer: a version or a status, a length, and JSON of at most that length. Pure. The decoders check every
// field.
import type { RoutingContext } from '@zishuo/yamux-balancer';
import { FleetError } from '../errors.ts';

/** The first message of the asking node. The bytes of the stream follow at once. */
export interface Head {
  /** The name whose session is asked for. */
  readonly name: string;
  readonly routing: RoutingContext;
  /** The request id for logs, the same at both nodes. */
  readonly requestId: string;
  /** ms that the other node may take; 0 for no limit. */
  readonly remainingMs: number;
  /** Whether the agent must acknowledge the stream before it is accepted. */
  readonly acknowledged: boolean;
}

/** `'accepted'`: bytes follow. `'not-here'`: no session here serves the name. `'gone'`: the session has ended. `'refused'`: no session takes the stream now. */
export type AnswerStatus = 'accepted' | 'not-here' | 'gone' | 'refused';

/** The session that serves a stream. */
export interface SessionInfo {
  /** Its key in the pool of its node. */
  readonly key: string;
  /** The id of its agent. */
  readonly id: string;
  /** A readable name. */
  readonly label: string | undefined;
  /** The facts from `factsOf` of its node. */
  readonly facts: Readonly<Record<string, string>>;
}

/** The reason of a refusal: the error at the other node. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly counts?: Readonly<Record<string, number>> | undefined;
}

export type Answer =
  | { readonly status: 'accepted'; readonly session: SessionInfo }
  | { readonly status: Exclude<AnswerStatus, 'accepted'>; readonly refusal: Refusal };

const VERSION = 1;
const PREFIX = 3;
/** The limit of bytes of JSON in a head or an answer. */
export const MAX_HEAD = 16_384;
const STATUSES: readonly AnswerStatus[] = ['accepted', 'not-here', 'gone', 'refused'];

/** A value and the number of its bytes. */
export interface Decoded<Value> {
  readonly value: Value;
  readonly length: number;
}

/** @throws RangeError if the name and the routing do not fit into a head. */
export function encodeHead(head: Head): Buffer {
  return framed(VERSION, head);
}

export function encodeAnswer(answer: Answer): Buffer {
  const status = STATUSES.indexOf(answer.status);
  return framed(status, answer.status === 'accepted' ? answer.session : answer.refusal);
}

/**
 * Undefined while the head is incomplete.
 * @throws FleetError (`ERR_YAMUX_FLEET_PEER_PROTOCOL`)
 */
export function decodeHead(bytes: Buffer): Decoded<Head> | undefined {
  if (bytes.length > 0 && bytes[0] !== VERSION)
    throw violation(`Expected a head of version ${VERSION}, got ${bytes[0]}`);
  const decoded = unframed(bytes);
  if (decoded === undefined) return undefined;
  const { name, routing, requestId, remainingMs, acknowledged } = decoded.value;
  if (typeof name !== 'string' || name === '') throw violation('A head must have a name');
  if (!isObject(routing)) throw violation('The routing of a head must be an object');
  if (typeof requestId !== 'string' || typeof acknowledged !== 'boolean') throw violation('A head is not complete');
  if (typeof remainingMs !== 'number' || !(remainingMs >= 0 && remainingMs < 2 ** 31)) {
    throw violation('A head must say the milliseconds that remain');
  }
  return { value: { name, routing, requestId, remainingMs, acknowledged }, length: decoded.length };
}

/**
 * Undefined while the answer is incomplete.
 * @throws FleetError (`ERR_YAMUX_FLEET_PEER_PROTOCOL`)
 */
export function decodeAnswer(bytes: Buffer): Decoded<Answer> | undefined {
  if (bytes.length === 0) return undefined;
  const status = STATUSES[bytes[0] as number];
  if (status === undefined) throw violation(`Expected the status of an answer, got ${bytes[0]}`);
  const decoded = unframed(bytes);
  if (decoded === undefined) return undefined;
  const { length } = decoded;
  if (status !== 'accepted') return { value: { status, refusal: refusalOf(decoded.value) }, length };
  const { key, id, label, facts } = decoded.value;
  if (typeof key !== 'string' || typeof id !== 'string') throw violation('An answer must name its session');
  const session = {
    key,
    id,
    label: typeof label === 'string' ? label : undefined,
    facts: isObject(facts) ? (facts as Readonly<Record<string, string>>) : {},
  };
  return { value: { status, session }, length };
}

function refusalOf({ code, message, counts }: Readonly<Record<string, unknown>>): Refusal {
  return {
    code: String(code),
    message: String(message),
    counts: isObject(counts) ? (counts as Readonly<Record<string, number>>) : undefined,
  };
}

function framed(first: number, value: object): Buffer {
  const json = JSON.stringify(value);
  const length = Buffer.byteLength(json);
  if (length > MAX_HEAD) {
    throw new RangeError(`Expected a name and a routing of at most ${MAX_HEAD} bytes as JSON, got ${length}`);
  }
  const bytes = Buffer.allocUnsafe(PREFIX + length);
  bytes[0] = first;
  bytes.writeUInt16BE(length, 1);
  bytes.write(json, PREFIX);
  return bytes;
}

function unframed(bytes: Buffer): Decoded<Readonly<Record<string, unknown>>> | undefined {
  if (bytes.length < PREFIX) return undefined;
  const size = bytes.readUInt16BE(1);
  if (size > MAX_HEAD) throw violation(`Expected at most ${MAX_HEAD} bytes, got ${size}`);
  const length = PREFIX + size;
  if (bytes.length < length) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8', PREFIX, length));
  } catch (cause) {
    throw violation('Expected JSON', cause);
  }
  if (!isObject(value)) throw violation('Expected a JSON object');
  return { value: value as Readonly<Record<string, unknown>>, length };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function violation(message: string, cause?: unknown): FleetError {
  return new FleetError('ERR_YAMUX_FLEET_PEER_PROTOCOL', message, { cause });
}
