// The handshake of two nodes on a connection, before Yamux. Pure: bytes in, bytes out; the random numbers are arguments.
//
//   the node that listens          greeting = 'yfl1' nonce                 the node that dials
//                        ───────────────────────────────────────────▶
//                          claim = length JSON{from,name,to} nonce proof
//                        ◀───────────────────────────────────────────
//                          verdict = code proof
//                        ───────────────────────────────────────────▶
//
// A proof is an HMAC-SHA256 over both nonces and the claim, with a different label for each side. So a proof cannot be replayed on another connection, nor
// sent back to its creator. Over TLS certificates authenticate both sides, and the secret may be empty: then the proofs prove nothing.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** The claim of the dialing node. */
export interface Claim {
  /** The id of the dialing node. */
  readonly from: string;
  /** The name of the node. */
  readonly name: string;
  /** The id of the node to reach. */
  readonly to: string;
}

export interface ReceivedClaim {
  readonly claim: Claim;
  readonly hasProof: boolean;
}

const MAGIC = Buffer.from('yfl1');
export const NONCE = 32;
const PROOF = 32;
/** The limit of bytes of JSON in a claim. */
const MAX_CLAIM = 1_024;
export const GREETING: number = MAGIC.length + NONCE;
export const VERDICT: number = 1 + PROOF;

/** The answer of the listening node. */
export const Verdict = {
  Welcome: 0,
  WrongSecret: 1,
  NotMe: 2,
  WrongName: 3,
  Closing: 4,
  Itself: 5,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** Error messages, by verdict. */
export const VERDICTS: readonly string[] = [
  'welcome',
  'the secrets differ',
  'another node listens at that address',
  'the certificate is not for the name of the node',
  'the node is closing',
  'the node dialed itself',
];

export function greetingOf(nonce: Buffer): Buffer {
  return Buffer.concat([MAGIC, nonce]);
}

/** The nonce of a complete greeting; undefined if the bytes are not a greeting. */
export function nonceOf(greeting: Buffer): Buffer | undefined {
  return greeting.subarray(0, MAGIC.length).equals(MAGIC) ? greeting.subarray(MAGIC.length) : undefined;
}

export function encodeClaim(claim: Claim, secret: string, theirNonce: Buffer, ourNonce: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(claim));
  const head = Buffer.alloc(2);
  head.writeUInt16BE(json.length);
  return Buffer.concat([head, json, ourNonce, proofOf('dial', secret, theirNonce, ourNonce, json)]);
}

/** The total length of a claim, from its first two bytes; undefined if it is too long. */
export function claimLength(head: Buffer): number | undefined {
  const length = head.readUInt16BE();
  return length > MAX_CLAIM ? undefined : 2 + length + NONCE + PROOF;
}

/** Undefined if the bytes are not a claim. */
export function decodeClaim(bytes: Buffer, secret: string, ourNonce: Buffer): ReceivedClaim | undefined {
  const { json, nonce, proof } = partsOf(bytes);
  const claim = parsed(json);
  if (claim === undefined) return undefined;
  return { claim, hasProof: timingSafeEqual(proof, proofOf('dial', secret, ourNonce, nonce, json)) };
}

/** The answer to a claim. Its proof is valid only for the sender of that claim. */
export function encodeVerdict(verdict: Verdict, claim: Buffer, secret: string, ourNonce: Buffer): Buffer {
  if (verdict !== Verdict.Welcome) return Buffer.concat([Buffer.of(verdict), Buffer.alloc(PROOF)]);
  const { json, nonce } = partsOf(claim);
  return Buffer.concat([Buffer.of(verdict), proofOf('accept', secret, ourNonce, nonce, json)]);
}

/** The verdict; undefined if the proof of a welcome is missing or wrong. */
export function decodeVerdict(bytes: Buffer, claim: Buffer, secret: string, theirNonce: Buffer): number | undefined {
  const verdict = bytes[0] as number;
  if (verdict !== Verdict.Welcome) return verdict;
  const { json, nonce } = partsOf(claim);
  const proof = proofOf('accept', secret, theirNonce, nonce, json);
  return timingSafeEqual(bytes.subarray(1), proof) ? verdict : undefined;
}

function partsOf(claim: Buffer): { json: Buffer; nonce: Buffer; proof: Buffer } {
  const end = claim.length - PROOF;
  return {
    json: claim.subarray(2, end - NONCE),
    nonce: claim.subarray(end - NONCE, end),
    proof: claim.subarray(end),
  };
}

function proofOf(side: 'dial' | 'accept', secret: string, listener: Buffer, dialer: Buffer, json: Buffer): Buffer {
  return createHmac('sha256', secret)
    .update(`yamux-fleet ${side}`)
    .update(listener)
    .update(dialer)
    .update(json)
    .digest();
}

function parsed(json: Buffer): Claim | undefined {
  try {
    const { from, name, to } = JSON.parse(json.toString()) as Record<string, unknown>;
    if (typeof from === 'string' && typeof name === 'string' && typeof to === 'string') return { from, name, to };
  } catch {
    // Invalid JSON is not a claim.
  }
  return undefined;
}
