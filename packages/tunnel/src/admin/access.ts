// Access to the admin port. On a loopback address every program on this machine may read. On other addresses, and for every action, the admin token is
// required, as `Authorization: Bearer`, which a page of another origin cannot make a browser send.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { hostName } from '../http/host.ts';
import { isLoopback, isLoopbackHost } from '../http/loopback.ts';

const MIN_TOKEN_LENGTH = 16;

/** @throws RangeError for a token that could be guessed, TypeError for one that a header cannot carry. */
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
   * Whether the Host of a request is this machine, where that is required. Any site can let its name resolve to 127.0.0.1, and its page can then
   * send requests here as to its own origin (DNS rebinding). The Host that the browser sends reveals it.
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
