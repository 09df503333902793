// The keys that check the tokens of agents, and that sign the gateway's own tokens: a secret, a set of keys in a file that is read again after a
// change, or the keys of an identity provider at a URL. Several keys may be valid at a time, so that keys can be rotated without a gap.
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createLocalJWKSet, errors, type JWK, type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose';
import { TunnelError } from './errors.ts';
import { RemoteKeys } from './remote-keys.ts';
import { type AgentClaims, checkClaims, checkSecret, verifiedClaims, verifyToken } from './token.ts';
import { WatchedFiles } from './watched-files.ts';

/** The sources of the keys; at least one of the first three is required. */
export interface TokenKeysOptions {
  /** The secret that signs and checks tokens of both formats: at least 16 characters. */
  readonly secret?: string | undefined;
  /** A JSON Web Key Set: `oct` keys check HS256, public ones RS256, PS256, ES256 and EdDSA. */
  readonly file?: string | undefined;
  /** The same at a URL, for public keys alone. */
  readonly url?: string | undefined;
  /** What `iss` must be, where it is given. */
  readonly issuer?: string | undefined;
  /** What `aud` must be, or have, where it is given. */
  readonly audience?: string | undefined;
}

const PUBLIC_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

interface KeySet {
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly publicKeys: JWTVerifyGetKey | undefined;
}

/** The keys of a gateway. */
export class TokenKeys {
  readonly #options: TokenKeysOptions;
  readonly #remote: RemoteKeys | undefined;
  readonly #file: WatchedFiles<KeySet> | undefined;

  /** @throws RangeError for a secret that is too short; TypeError without any key, or for a file that is not a key set. */
  constructor(options: TokenKeysOptions) {
    const { secret, file, url } = options;
    this.#options = options;
    if (secret === undefined && file === undefined && url === undefined) {
      throw new TypeError('expected a secret, a file with keys, or the URL of some, to check tokens by');
    }
    if (secret !== undefined) checkSecret(secret);
    if (url !== undefined) this.#remote = new RemoteKeys(new URL(url));
    if (file !== undefined) this.#file = new WatchedFiles([file], () => readKeySet(file));
  }

  /** `onError` gets the error of a file that cannot be read any more: its keys stay in use. One listener only. */
  watch(onError: (error: Error) => void): void {
    this.#file?.watch(() => {}, onError);
  }

  /** Reads the file again now. Without a call this happens within a second of a change. */
  reload(): void {
    this.#file?.reload();
  }

  /**
   * The claims of a token of either form. `now` in milliseconds since 1970.
   * @throws TunnelError with ERR_TUNNEL_TOKEN_MALFORMED, ERR_TUNNEL_TOKEN_SIGNATURE, ERR_TUNNEL_TOKEN_EXPIRED or
   * ERR_TUNNEL_KEYS_UNAVAILABLE.
   */
  async verify(token: string, now: number): Promise<AgentClaims> {
    if (token.split('.').length === 2) {
      const { secret } = this.#options;
      if (secret !== undefined) return verifyToken(token, secret, now);
      throw new TunnelError('ERR_TUNNEL_TOKEN_SIGNATURE', 'the token was not signed by this gateway');
    }
    let payload: JWTPayload;
    try {
      const { issuer, audience } = this.#options;
      const verified = await jwtVerify(token, (header, jwt) => this.#keyFor(header.kid, header.alg, jwt), {
        algorithms: ['HS256', ...PUBLIC_ALGORITHMS],
        requiredClaims: ['sub', 'exp'],
        currentDate: new Date(now),
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      });
      payload = verified.payload;
    } catch (error) {
      throw tokenError(error);
    }
    return verifiedClaims(() => claimsOf(payload), now);
  }

  async #keyFor(
    id: string | undefined,
    algorithm: string,
    jwt: Parameters<JWTVerifyGetKey>[1],
  ): Promise<Awaited<ReturnType<JWTVerifyGetKey>>> {
    const header = { alg: algorithm, ...(id === undefined ? {} : { kid: id }) };
    if (algorithm === 'HS256') {
      const { secret } = this.#options;
      const key = id === undefined ? undefined : this.#file?.current.secrets.get(id);
      if (key !== undefined) return key;
      if (secret !== undefined && (id === undefined || id === keyId(secret))) return new TextEncoder().encode(secret);
      throw new errors.JWKSNoMatchingKey();
    }
    try {
      const publicKeys = this.#file?.current.publicKeys;
      if (publicKeys !== undefined) return await publicKeys(header, jwt);
    } catch (error) {
      if (this.#remote === undefined) throw error;
    }
    if (this.#remote === undefined) throw new errors.JWKSNoMatchingKey();
    return this.#remote.keyFor(header, jwt);
  }

  /** Lets go of the file. */
  close(): void {
    this.#file?.close();
  }
}

/**
 * A JWT for an agent, signed with the secret (HS256): `sub` is the agent, `exp` the expiry; `tenant`, `routes` and `weight` are the other claims.
 * @throws RangeError for a secret that is too short; TypeError if the claims are not usable.
 */
export async function issueToken(claims: AgentClaims, secret: string): Promise<string> {
  checkSecret(secret);
  const { agent, tenant, routes, weight, expires, id = randomUUID() } = checkClaims(claims);
  return new SignJWT({ tenant, routes: [...routes], ...(weight === undefined ? {} : { weight }) })
    .setProtectedHeader({ alg: 'HS256', kid: keyId(secret) })
    .setSubject(agent)
    .setJti(id)
    .setIssuedAt()
    .setExpirationTime(Math.floor(expires / 1_000))
    .sign(new TextEncoder().encode(secret));
}

/** Names a secret without telling it. */
function keyId(secret: string): string {
  return createHash('sha256').update(`tunnel-key.v1.${secret}`).digest('base64url').slice(0, 8);
}

function claimsOf({ sub, exp, jti, tenant = 'default', routes, weight }: JWTPayload): unknown {
  const list = typeof routes === 'string' ? routes.split(/[\s,]+/) : routes;
  return { agent: sub, tenant, routes: list, weight, expires: (exp as number) * 1_000, id: jti };
}

function tokenError(error: unknown): TunnelError {
  if (error instanceof TunnelError) return error;
  if (!(error instanceof errors.JOSEError)) {
    return new TunnelError('ERR_TUNNEL_KEYS_UNAVAILABLE', `the keys cannot be used: ${(error as Error).message}`);
  }
  if (error instanceof errors.JWTExpired) return new TunnelError('ERR_TUNNEL_TOKEN_EXPIRED', 'the token expired');
  if (
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWSInvalid
  ) {
    return new TunnelError('ERR_TUNNEL_TOKEN_MALFORMED', `expected a usable token: ${error.message}`);
  }
  return new TunnelError(
    'ERR_TUNNEL_TOKEN_SIGNATURE',
    `the token was not signed by a key that is known: ${error.message}`,
  );
}

function readKeySet(file: string): KeySet {
  try {
    const { keys } = JSON.parse(readFileSync(file, 'utf8')) as { readonly keys: readonly JWK[] };
    const secrets = new Map<string, Uint8Array>();
    for (const { kty, kid, k } of keys) {
      if (kty !== 'oct') continue;
      if (kid === undefined || k === undefined) throw new TypeError('a key of kind oct needs kid and k');
      const secret = Buffer.from(k, 'base64url');
      if (secret.length < 16) throw new TypeError(`the key ${kid} is shorter than 16 bytes`);
      secrets.set(kid, secret);
    }
    const publicKeys = keys.filter(({ kty }) => kty !== 'oct');
    return { secrets, publicKeys: publicKeys.length === 0 ? undefined : createLocalJWKSet({ keys: publicKeys }) };
  } catch (error) {
    throw new TypeError(`expected a JSON Web Key Set in "${file}": ${(error as Error).message}`);
  }
}
