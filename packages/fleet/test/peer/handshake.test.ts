import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  claimLength,
  decodeClaim,
  decodeVerdict,
  encodeClaim,
  encodeVerdict,
  greetingOf,
  NONCE,
  nonceOf,
  Verdict,
} from '../../src/peer/handshake.ts';

const CLAIM = { from: 'a1', name: 'a', to: 'b1' };
const [theirs, ours] = [randomBytes(NONCE), randomBytes(NONCE)];

describe('the handshake of two nodes', () => {
  it('proves the secret to either side', () => {
    const claim = encodeClaim(CLAIM, 'secret', theirs, ours);
    expect(claimLength(claim)).toBe(claim.length);
    expect(decodeClaim(claim, 'secret', theirs)).toEqual({ claim: CLAIM, hasProof: true });
    const verdict = encodeVerdict(Verdict.Welcome, claim, 'secret', theirs);
    expect(decodeVerdict(verdict, claim, 'secret', theirs)).toBe(Verdict.Welcome);
  });

  it('fails with another secret, on either side', () => {
    const claim = encodeClaim(CLAIM, 'wrong', theirs, ours);
    expect(decodeClaim(claim, 'secret', theirs)?.hasProof).toBe(false);
    const verdict = encodeVerdict(Verdict.Welcome, claim, 'secret', theirs);
    expect(decodeVerdict(verdict, claim, 'wrong', theirs)).toBeUndefined();
  });

  it('fails with a claim that was recorded on another connection', () => {
    const recorded = encodeClaim(CLAIM, 'secret', theirs, ours);
    expect(decodeClaim(recorded, 'secret', randomBytes(NONCE))?.hasProof).toBe(false);
  });

  it('fails with a proof that is sent back to its maker', () => {
    const claim = encodeClaim(CLAIM, 'secret', theirs, ours);
    const reflected = Buffer.concat([Buffer.of(Verdict.Welcome), claim.subarray(-32)]);
    expect(decodeVerdict(reflected, claim, 'secret', theirs)).toBeUndefined();
  });

  it('fails with any bit of the claim changed', () => {
    const claim = encodeClaim(CLAIM, 'secret', theirs, ours);
    for (let index = 2; index < claim.length; index += 1) {
      const forged = Buffer.from(claim);
      forged[index] = (forged[index] as number) ^ 1;
      expect(decodeClaim(forged, 'secret', theirs)?.hasProof ?? false).toBe(false);
    }
  });

  it('has a bound for a claim, and a word by which a greeting is known', () => {
    expect(claimLength(Buffer.of(0xff, 0xff))).toBeUndefined();
    expect(nonceOf(greetingOf(ours))).toEqual(ours);
    expect(nonceOf(Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection'))).toBeUndefined();
  });
});
