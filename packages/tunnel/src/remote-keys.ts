// The keys of an identity provider, at a URL. They are fetched when a token names an unknown key, and kept for ten minutes. If they cannot be fetched,
// the token is not at fault: its agent is told to retry.
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { codeOf, TunnelError } from './errors.ts';

/** Milliseconds that the URL may take. */
const FETCH_TIMEOUT = 5_000;
/** Milliseconds before it is asked again for a key that it did not have. */
const COOLDOWN = 10_000;
/** Bytes of its answer. */
const MAX_SIZE = 1024 * 1024;

type Key = Awaited<ReturnType<JWTVerifyGetKey>>;

export class RemoteKeys {
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;

  constructor(url: URL) {
    this.#keys = createRemoteJWKSet(url, {
      timeoutDuration: FETCH_TIMEOUT,
      cooldownDuration: COOLDOWN,
      [customFetch]: fetchBounded,
    });
  }

  /** @throws JWKSNoMatchingKey; TunnelError with ERR_TUNNEL_KEYS_UNAVAILABLE. */
  async keyFor(...[header, jwt]: Parameters<JWTVerifyGetKey>): Promise<Key> {
    // The unknown key may be new, but the URL was fetched a moment ago: do not fetch it again yet.
    const mayBeNew = this.#keys.coolingDown;
    try {
      return await this.#keys(header, jwt);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) {
        if (!mayBeNew) throw error;
        throw unavailable(`the key ${header.kid ?? 'of the token'} is not known yet`);
      }
      throw unavailable(`the keys cannot be had: ${reasonOf(error)}`);
    }
  }
}

function unavailable(message: string): TunnelError {
  return new TunnelError('ERR_TUNNEL_KEYS_UNAVAILABLE', message);
}

/** fetch() says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  if (!(cause instanceof Error)) return message;
  return `${message}: ${cause.message || codeOf(cause, cause.name)}`;
}

async function fetchBounded(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`expected ${url} to answer 200, got ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body = response.body?.getReader();
  for (let read = await body?.read(); read?.done === false; read = await body?.read()) {
    size += read.value.length;
    if (size > MAX_SIZE) {
      await body?.cancel();
      throw new Error(`expected at most ${MAX_SIZE} bytes from ${url}`);
    }
    chunks.push(read.value);
  }
  return new Response(Buffer.concat(chunks));
}
