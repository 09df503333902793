// Affinity: keeps the requests of one client on one agent, by a header, a cookie, or the client's address.
import { createHash, createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { RawHeaders } from '../exchange/block.ts';

/** The preferences of a request. */
export interface Wish {
  /** Requests with the same key stay with the session that served the first one. */
  readonly key: string | undefined;
  /** An agent by its name, before the key. */
  readonly agent: string | undefined;
}

export interface Affinity {
  /** A session of this agent is there. */
  joined(agent: string): void;
  wish(request: IncomingMessage, address: string): Wish;
  /** For a raw TCP connection. */
  wishOf(address: string): Wish;
  /** An answer came from this agent; what is to be added to it, [name, value, …]. */
  answered(wish: Wish, agent: string, headers: RawHeaders): RawHeaders;
}

/** The gateway's own cookie. */
const STICKY = 'tunnel-agent';
/** The limit of characters of a key: clients choose the keys, and the pool stores tens of thousands. */
const MAX_KEY_LENGTH = 128;
const MAX_LEARNED = 65_536;
const FREE: Wish = { key: undefined, agent: undefined };
const NONE: RawHeaders = [];

/**
 * Parses `header:<name>`, `cookie:<name>`, `ip`, `sticky` or `none`. `secret` protects the agent names in cookies, so that clients can neither read nor
 * guess them.
 * @throws TypeError for anything else.
 */
export function parseAffinity(text: string, secret = ''): Affinity {
  const [, kind, name = ''] = /^(header|cookie):([!#$%&'*+.^`|~\w-]+)$/.exec(text) ?? [];
  if (kind === 'header') return keyed((request) => headerValue(request, name.toLowerCase()));
  if (kind === 'cookie') return new LearnedCookie(name);
  if (text === 'ip') {
    const byAddress = (address: string): Wish => ({ key: address, agent: undefined });
    return {
      joined: () => {},
      wish: (_request, address) => byAddress(address),
      wishOf: byAddress,
      answered: () => NONE,
    };
  }
  if (text === 'sticky') return new StickyCookie(secret);
  if (text === 'none') return keyed(() => undefined);
  throw new TypeError(`expected affinity to be header:<name>, cookie:<name>, ip, sticky or none, got "${text}"`);
}

function keyed(keyOf: (request: IncomingMessage) => string | undefined): Affinity {
  return {
    joined: () => {},
    wish: (request) => {
      const key = bounded(keyOf(request));
      return key === undefined ? FREE : { key, agent: undefined };
    },
    wishOf: () => FREE,
    answered: () => NONE,
  };
}

/** A cookie of the application: requests with it go to the agent that set it. */
class LearnedCookie implements Affinity {
  readonly #name: string;
  /** By the value of the cookie: the agent that has set it. The least recently used first. */
  readonly #agents = new Map<string, string>();

  constructor(name: string) {
    this.#name = name;
  }

  joined(): void {}

  wish(request: IncomingMessage): Wish {
    const key = bounded(cookieValue(request.headers.cookie ?? '', this.#name));
    if (key === undefined) return FREE;
    const agent = this.#agents.get(key);
    if (agent !== undefined) this.#learn(key, agent);
    return { key, agent };
  }

  wishOf(): Wish {
    return FREE;
  }

  answered(_wish: Wish, agent: string, headers: RawHeaders): RawHeaders {
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index] as string;
      if (name.length !== 10 || name.toLowerCase() !== 'set-cookie') continue;
      const [pair = ''] = (headers[index + 1] as string).split(';', 1);
      const key = bounded(cookieValue(pair, this.#name));
      if (key !== undefined) this.#learn(key, agent);
    }
    return NONE;
  }

  #learn(key: string, agent: string): void {
    this.#agents.delete(key);
    this.#agents.set(key, agent);
    if (this.#agents.size <= MAX_LEARNED) return;
    const [oldest] = this.#agents.keys();
    if (oldest !== undefined) this.#agents.delete(oldest);
  }
}

/** A cookie of the gateway. It names the agent, so every gateway with the same secret understands it without stored state. */
class StickyCookie implements Affinity {
  readonly #secret: string;
  /** By the value of the cookie: the agent. The one that joined first is the first to be forgotten. */
  readonly #agents = new Map<string, string>();
  readonly #values = new Map<string, string>();

  constructor(secret: string) {
    this.#secret = secret;
  }

  joined(agent: string): void {
    this.#valueFor(agent);
  }

  wish(request: IncomingMessage): Wish {
    const value = cookieValue(request.headers.cookie ?? '', STICKY);
    const agent = value === undefined ? undefined : this.#agents.get(value);
    return agent === undefined ? FREE : { key: undefined, agent };
  }

  wishOf(): Wish {
    return FREE;
  }

  answered(wish: Wish, agent: string): RawHeaders {
    if (wish.agent === agent) return NONE;
    return ['Set-Cookie', `${STICKY}=${this.#valueFor(agent)}; Path=/; HttpOnly; SameSite=Lax`];
  }

  #valueFor(agent: string): string {
    let value = this.#values.get(agent);
    if (value === undefined) {
      value = createHmac('sha256', this.#secret).update(`tunnel-sticky.v1.${agent}`).digest('base64url').slice(0, 22);
      this.#values.set(agent, value);
      this.#agents.set(value, agent);
      this.#forgetOldest();
    }
    return value;
  }

  #forgetOldest(): void {
    if (this.#values.size <= MAX_LEARNED) return;
    const [oldest] = this.#values;
    if (oldest === undefined) return;
    this.#values.delete(oldest[0]);
    this.#agents.delete(oldest[1]);
  }
}

function headerValue({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

function cookieValue(cookies: string, name: string): string | undefined {
  for (const cookie of cookies.split(';')) {
    const equals = cookie.indexOf('=');
    if (equals !== -1 && cookie.slice(0, equals).trim() === name) return cookie.slice(equals + 1).trim();
  }
  return undefined;
}

function bounded(key: string | undefined): string | undefined {
  if (key === undefined || key === '') return undefined;
  return key.length <= MAX_KEY_LENGTH ? key : createHash('sha256').update(key).digest('base64');
}
