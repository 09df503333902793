// Revocations: agents, tenants and single tokens that are refused although their token is valid. From a file that is read again after a change, and from
// the admin port.
import { readFileSync } from 'node:fs';
import type { AgentClaims } from '../token.ts';
import { WatchedFiles } from '../watched-files.ts';

export type RevokedKind = 'agent' | 'tenant' | 'token';

/** Agents, tenants and tokens that are revoked. */
export class Revocations {
  readonly #byHand = new Set<string>();
  readonly #byFile: WatchedFiles<ReadonlySet<string>> | undefined;
  #listener: () => void = () => {};

  /**
   * `file`: one line for each, `agent <name>`, `tenant <name>` or `token <id>`. Empty lines and lines that begin with # are ignored.
   * @throws TypeError for a file that cannot be read, or has another line.
   */
  constructor(file?: string) {
    if (file !== undefined) this.#byFile = new WatchedFiles([file], () => read(file));
  }

  /** Calls `listener` after a revocation. `onError` gets the error of a file that cannot be read: its last content stays in use. One listener only. */
  watch(listener: () => void, onError: (error: Error) => void): void {
    this.#listener = listener;
    this.#byFile?.watch(listener, onError);
  }

  /** Reads the file again now. Without a call this happens within a second of a change. */
  reload(): void {
    this.#byFile?.reload();
  }

  /** Why the claims are revoked, in words; undefined if they are not. */
  reasonFor({ agent, tenant, id }: AgentClaims): string | undefined {
    if (this.#has('agent', agent)) return `agent ${agent} is revoked`;
    if (this.#has('tenant', tenant)) return `tenant ${tenant} is revoked`;
    if (id !== undefined && this.#has('token', id)) return `token ${id} is revoked`;
    return undefined;
  }

  /** Until restore(), or until the process ends. */
  revoke(kind: RevokedKind, name: string): void {
    this.#byHand.add(`${kind} ${name}`);
    this.#listener();
  }

  /** Ends a revocation by revoke(). False for other revocations: those of the file stay. */
  restore(kind: RevokedKind, name: string): boolean {
    return this.#byHand.delete(`${kind} ${name}`);
  }

  /** All revocations, sorted. `byHand`: those of revoke(), which restore() can end. */
  get entries(): readonly { readonly kind: RevokedKind; readonly name: string; readonly byHand: boolean }[] {
    return this.list.map((entry) => {
      const [kind = '', name = ''] = entry.split(/ (.*)/s, 2);
      return { kind: kind as RevokedKind, name, byHand: this.#byHand.has(entry) };
    });
  }

  /** `agent <name>` and so on, sorted. */
  get list(): readonly string[] {
    return [...new Set([...this.#byHand, ...(this.#byFile?.current ?? [])])].sort();
  }

  close(): void {
    this.#byFile?.close();
  }

  #has(kind: RevokedKind, name: string): boolean {
    const entry = `${kind} ${name}`;
    return this.#byHand.has(entry) || this.#byFile?.current.has(entry) === true;
  }
}

function read(file: string): ReadonlySet<string> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new TypeError(`expected a file of revocations, got "${file}": ${(error as Error).message}`);
  }
  const entries = new Set<string>();
  for (const line of text.split('\n')) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    if (!/^(agent|tenant|token) \S/.test(entry)) {
      throw new TypeError(`expected agent, tenant or token and a name in "${file}", got "${entry}"`);
    }
    entries.add(entry);
  }
  return entries;
}
