// How two nodes recognise each other on a connection, before Yamux begins. Pure: bytes in, bytes out; the random numbers are arguments.
//
//   the node that listens          greeting = 'yfl1' nonce                 the node that dials
//                        ───────────────────────────────────────────▶
//                          claim = length JSON{from,name,to} nonce proof
//                        ◀───────────────────────────────────────────
//                          verdict = code proof
//                        ───────────────────────────────────────────▶
//
// A proof is an HMAC-SHA256 over both nonces and the claim, with a different word for either side: no proof can be replayed on another connection, or
// sent back to its maker. Over TLS both sides know each other by certificates, and the secret may be empty: the proofs then prove nothing.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What the dialing node says. */
export interface Claim {
  /** Its id. */
  readonly from: string;
  /** Its name. */
  readonly name: string;
  /** The id of the node that it means to reach. */
  readonly to: string;
}

export interface ReceivedClaim {
  readonly claim: Claim;
  readonly hasProof: boolean;
}

const MAGIC = Buffer.from('yfl1');
export const NONCE = 32;
const PROOF = 32;
/** Bytes of the JSON of a claim. */
const MAX_CLAIM = 1_024;
export const GREETING: number = MAGIC.length + NONCE;
export const VERDICT: number = 1 + PROOF;

/** What the listening node answers. */
export const Verdict = {
  Welcome: 0,
  WrongSecret: 1,
  NotMe: 2,
  WrongName: 3,
  Closing: 4,
  Itself: 5,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** For error texts, by verdict. */
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

/** The nonce of a whole greeting; undefined if these bytes are none. */
export function nonceOf(greeting: Buffer): Buffer | undefined {
  return greeting.subarray(0, MAGIC.length).equals(MAGIC) ? greeting.subarray(MAGIC.length) : undefined;
}

export function encodeClaim(claim: Claim, secret: string, theirNonce: Buffer, ourNonce: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(claim));
  const head = Buffer.alloc(2);
  head.writeUInt16BE(json.length);
  return Buffer.concat([head, json, ourNonce, proofOf('dial', secret, theirNonce, ourNonce, json)]);
}

/** How many bytes a claim has in all, from its first two; undefined if it is too long. */
export function claimLength(head: Buffer): number | undefined {
  const length = head.readUInt16BE();
  return length > MAX_CLAIM ? undefined : 2 + length + NONCE + PROOF;
}

/** Undefined if these bytes are no claim. */
export function decodeClaim(bytes: Buffer, secret: string, ourNonce: Buffer): ReceivedClaim | undefined {
  const { json, nonce, proof } = partsOf(bytes);
  const claim = parsed(json);
  if (claim === undefined) return undefined;
  return { claim, hasProof: timingSafeEqual(proof, proofOf('dial', secret, ourNonce, nonce, json)) };
}

/** The answer to a claim; its proof is of use to nobody but who sent that. */
export function encodeVerdict(verdict: Verdict, claim: Buffer, secret: string, ourNonce: Buffer): Buffer {
  if (verdict !== Verdict.Welcome) return Buffer.concat([Buffer.of(verdict), Buffer.alloc(PROOF)]);
  const { json, nonce } = partsOf(claim);
  return Buffer.concat([Buffer.of(verdict), proofOf('accept', secret, ourNonce, nonce, json)]);
}

/** The verdict; undefined where a welcome lacks its proof. */
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
    // No JSON: no claim.
  }
  return undefined;
}
