// The gateway behind the page: its token, what it is asked, and the snapshots that it sends. Not by EventSource, which cannot send the
// token along.

const TOKEN = 'tunnel-admin-token';
const FIRST_DELAY = 500;
const MAX_DELAY = 8_000;
/** Milliseconds without a snapshot, of which there is one a second, after which the connection is given up. */
const SILENCE = 5_000;

/** The token is in the fragment of the address that the gateway printed; it is kept for this tab, and out of the history. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return;
  setToken(given);
  history.replaceState(null, '', location.pathname + location.search);
}

export function hasToken() {
  return sessionStorage.getItem(TOKEN) !== null;
}

/** @param {string | undefined} token undefined: forget it */
export function setToken(token) {
  if (token === undefined) sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token);
}

/** An answer of the gateway that is none of success. */
export class RefusedError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function ask(path, options = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(path, { ...options, headers, cache: 'no-store' });
  if (response.ok) return response;
  const answer = await response.json().catch(() => undefined);
  throw new RefusedError(response.status, answer?.error?.message ?? `the gateway answered ${response.status}`);
}

/**
 * To a session.
 * @param {string} key
 * @param {'drain' | 'resume' | 'weight' | 'cut'} action
 * @param {Record<string, unknown>} body
 */
export async function act(key, action, body) {
  await ask(`sessions/${encodeURIComponent(key)}/${action}`, { method: 'POST', body: JSON.stringify(body) });
}

/**
 * To all sessions of an agent or a tenant, and those that it would have.
 * @param {'agent' | 'tenant'} kind
 * @param {string} name
 * @param {'revoke' | 'restore'} action
 */
export async function actOnAll(kind, name, action) {
  await ask(`${kind}s/${encodeURIComponent(name)}/${action}`, { method: 'POST', body: '{}' });
}

/**
 * @param {string} host
 * @param {string} path
 * @returns {Promise<import('../explanation.ts').Explanation>}
 */
export async function explain(host, path) {
  const response = await ask(`explain?${new URLSearchParams({ host, path })}`);
  return response.json();
}

/**
 * Calls back with each snapshot, for ever; and with what became of the connection, until the next snapshot.
 * @param {(snapshot: import('../snapshot.ts').Snapshot) => void} onSnapshot
 * @param {(error: Error, retryIn: number) => void} onLost
 * @returns {() => void} what has it try again at once
 */
export function follow(onSnapshot, onLost) {
  /** @type {() => void} */
  let again = () => {};
  void (async () => {
    for (let delay = FIRST_DELAY; ; delay = Math.min(delay * 2, MAX_DELAY)) {
      const lost = await oneConnection((snapshot) => {
        delay = FIRST_DELAY;
        onSnapshot(snapshot);
      });
      onLost(lost, delay);
      await new Promise((resolve) => {
        again = () => resolve(undefined);
        setTimeout(resolve, delay);
      });
    }
  })();
  return () => again();
}

/**
 * Resolves with why it ended.
 * @param {(snapshot: import('../snapshot.ts').Snapshot) => void} onSnapshot
 * @returns {Promise<Error>}
 */
async function oneConnection(onSnapshot) {
  const silent = new AbortController();
  const giveUp = () => silent.abort(new Error('nothing came any more'));
  let timer = setTimeout(giveUp, SILENCE);
  try {
    const response = await ask('events', { signal: silent.signal });
    const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
    const decoder = new TextDecoder();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return new Error('the gateway ended it');
      clearTimeout(timer);
      timer = setTimeout(giveUp, SILENCE);
      text += decoder.decode(value, { stream: true });
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      // Only the latest counts. A tab that slept has several.
      const latest = events.at(-1);
      if (latest !== undefined) onSnapshot(JSON.parse(latest.replace(/^data: /, '')));
    }
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    clearTimeout(timer);
  }
}
