import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AgentClaims, signToken, verifyToken } from '../src/token.ts';

const secret = 'a secret of the gateway';
const claims: AgentClaims = { agent: 'alpha', tenant: 'acme', routes: ['app.example'], expires: 2_000 };

describe('an agent token', () => {
  it('gives back what was signed', () => {
    expect(verifyToken(signToken(claims, secret), secret, 1_999)).toEqual(claims);
  });

  it('may say what its sessions weigh', () => {
    expect(verifyToken(signToken({ ...claims, weight: 2.5 }, secret), secret, 0).weight).toBe(2.5);
    for (const weight of [-1, Number.NaN, Infinity]) {
      expect(() => signToken({ ...claims, weight }, secret)).toThrow(TypeError);
    }
  });

  it('names its routes in one spelling: hosts without port, in lower case, paths without a slash at the end', () => {
    const routes = ['App.Example:8080', 'b.example.', 'c.example/Api/', 'tcp:db'];
    const token = signToken({ ...claims, routes }, secret);
    expect(verifyToken(token, secret, 0).routes).toEqual(['app.example', 'b.example', 'c.example/Api', 'tcp:db']);
  });

  it('is refused from the moment it expires', () => {
    const token = signToken(claims, secret);
    expect(() => verifyToken(token, secret, 2_000)).toThrow(
      expect.objectContaining({ code: 'ERR_TUNNEL_TOKEN_EXPIRED' }),
    );
  });

  it('is refused by another secret', () => {
    const token = signToken(claims, 'a secret of somebody else');
    expect(() => verifyToken(token, secret, 0)).toThrow(
      expect.objectContaining({ code: 'ERR_TUNNEL_TOKEN_SIGNATURE' }),
    );
  });

  it('is refused when its claims were changed after signing', () => {
    const forged = Buffer.from(JSON.stringify({ ...claims, routes: ['bank.example'] })).toString('base64url');
    const proof = signToken(claims, secret).split('.')[1];
    expect(() => verifyToken(`${forged}.${proof}`, secret, 0)).toThrow(
      expect.objectContaining({ code: 'ERR_TUNNEL_TOKEN_SIGNATURE' }),
    );
  });

  it('is refused whatever else is sent in its place, always by a code', () => {
    const token = signToken(claims, secret);
    const anything = fc.oneof(
      fc.string(),
      fc.string().map((tail) => `${token}.${tail}`),
      fc.string().map((head) => `${head}.`),
    );
    fc.assert(
      fc.property(anything, (text) => {
        expect(() => verifyToken(text, secret, 0)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^ERR_TUNNEL_TOKEN_(MALFORMED|SIGNATURE)$/) }),
        );
      }),
    );
  });

  it('is not made from claims that are not complete', () => {
    expect(() => signToken({ ...claims, routes: [] }, secret)).toThrow(TypeError);
    expect(() => signToken({ ...claims, routes: ['a b'] }, secret)).toThrow(TypeError);
    expect(() => signToken({ ...claims, routes: ['tcp:'] }, secret)).toThrow(TypeError);
    expect(() => signToken({ ...claims, agent: '' }, secret)).toThrow(TypeError);
    expect(() => signToken({ ...claims, expires: Number.NaN }, secret)).toThrow(TypeError);
  });

  it('is not made with a secret that is too short', () => {
    expect(() => signToken(claims, 'short')).toThrow(RangeError);
  });
});
