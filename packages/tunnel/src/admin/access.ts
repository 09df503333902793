// Who may look and who may act. On a loopback address whoever is on this machine may look; elsewhere, and for anything that acts, the admin
// token is asked for, as `Authorization: Bearer`, which no page of another origin can make a browser send.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { hostName } from '../http/host.ts';
import { isLoopback, isLoopbackHost } from '../http/loopback.ts';

const MIN_TOKEN_LENGTH = 16;

/** @throws RangeError for one that could be guessed, TypeError for one that a header cannot carry. */
export function checkAdminToken(token: string): void {
  if (token.length < MIN_TOKEN_LENGTH) {
    throw new RangeError(`the admin token must have at least ${MIN_TOKEN_LENGTH} characters, got ${token.length}`);
  }
  if (!/^[!-~]+$/.test(token)) throw new TypeError('the admin token must be of visible ASCII characters');
}

export class Access {
  readonly #token: Buffer;
  readonly #isLoopback: boolean;

  /** `address`: the one that the server listens on. */
  constructor(token: string, address: string) {
    checkAdminToken(token);
    this.#token = digest(token);
    this.#isLoopback = isLoopback(address);
  }

  /**
   * Whether a request names this machine as its host, where it must. Any site can have its name resolve to 127.0.0.1 and its page then
   * ask here as its own origin (DNS rebinding); the Host that the browser sends along gives it away.
   */
  isOurHost(request: IncomingMessage): boolean {
    if (!this.#isLoopback) return true;
    return isLoopbackHost(hostName(request.headers.host));
  }

  mayRead(request: IncomingMessage): boolean {
    return this.#isLoopback || this.mayAct(request);
  }

  mayAct(request: IncomingMessage): boolean {
    const [, given] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
    return given !== undefined && timingSafeEqual(digest(given), this.#token);
  }
}

/** Of one length, whatever was sent: timingSafeEqual() needs that. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
