// Which session a key is bound to: for how long, and how many at most. Pure: time comes in, and what became of a binding goes
// out through one callback. No timer: bindings expire when they are met, and a few of the oldest at every pick.
import type { KeyKind } from './affinity-key.ts';

export interface Binding<Session> {
  readonly kind: KeyKind;
  readonly key: string;
  readonly session: Session;
  /** An open on the session has succeeded. Until then the binding only keeps a burst of opens together. */
  readonly confirmed: boolean;
}

interface Node<Session> extends Binding<Session> {
  session: Session;
  confirmed: boolean;
  expiresAt: number;
  before: Node<Session> | undefined;
  after: Node<Session> | undefined;
}

export type EvictReason = 'ttl' | 'cap' | 'removed';

export class AffinityTable<Session extends object> {
  readonly #ttl: number;
  readonly #maxBindings: number;
  readonly #onEvict: (binding: Binding<Session>, reason: EvictReason) => void;
  readonly #byKind: Readonly<Record<KeyKind, Map<string, Node<Session>>>> = {
    affinityKey: new Map(),
    sourceIp: new Map(),
  };
  readonly #bySession = new Map<Session, Set<Node<Session>>>();
  // In order of update. Map order would serve too, but taking its first key walks over what was deleted before it: 16 µs each
  // at 65,536 bindings.
  #oldest: Node<Session> | undefined;
  #newest: Node<Session> | undefined;
  #size = 0;
  #now = Number.NEGATIVE_INFINITY;

  /** `ttl` in milliseconds; 0 turns either bound off. */
  constructor(
    ttl: number,
    maxBindings: number,
    onEvict: (binding: Binding<Session>, reason: EvictReason) => void = () => {},
  ) {
    this.#ttl = ttl === 0 ? Infinity : ttl;
    this.#maxBindings = maxBindings === 0 ? Infinity : maxBindings;
    this.#onEvict = onEvict;
  }

  get size(): number {
    return this.#size;
  }

  /** The live binding of the key; looking changes nothing. */
  peek(kind: KeyKind, key: string, now: number): Binding<Session> | undefined {
    const time = this.#tick(now);
    const node = this.#byKind[kind].get(key);
    return node === undefined || time >= node.expiresAt ? undefined : node;
  }

  /** The live binding of the key. One that has expired goes. */
  find(kind: KeyKind, key: string, now: number): Binding<Session> | undefined {
    const time = this.#tick(now);
    const node = this.#byKind[kind].get(key);
    if (node === undefined || time < node.expiresAt) return node;
    this.#drop(node, 'ttl');
    return undefined;
  }

  /** Binds the key anew, whatever it was bound to, and lives `ttl` from now. */
  bind(kind: KeyKind, key: string, session: Session, now: number, confirmed: boolean): void {
    const expiresAt = this.#tick(now) + this.#ttl;
    let node = this.#byKind[kind].get(key);
    if (node === undefined) {
      node = { kind, key, session, confirmed, expiresAt, before: undefined, after: undefined };
      this.#byKind[kind].set(key, node);
      this.#size += 1;
    } else {
      this.#unlink(node);
      this.#leave(node);
      node.session = session;
      node.confirmed = confirmed;
      node.expiresAt = expiresAt;
    }
    this.#append(node);
    const bound = this.#bySession.get(session);
    if (bound === undefined) this.#bySession.set(session, new Set([node]));
    else bound.add(node);
    if (this.#size > this.#maxBindings) this.#drop(this.#oldest as Node<Session>, 'cap');
  }

  /** The binding was used: it lives `ttl` from now. */
  touch(binding: Binding<Session>, now: number): void {
    const node = binding as Node<Session>;
    node.expiresAt = this.#tick(now) + this.#ttl;
    if (node === this.#newest) return;
    this.#unlink(node);
    this.#append(node);
  }

  confirm(binding: Binding<Session>): void {
    (binding as Node<Session>).confirmed = true;
  }

  /** Lets go of a binding that came to nothing; nobody is told. */
  release(binding: Binding<Session>): void {
    this.#delete(binding as Node<Session>);
  }

  /** Lets go of all bindings of a session, at the cost of those alone. */
  removeSession(session: Session): void {
    const bound = this.#bySession.get(session);
    if (bound === undefined) return;
    for (const node of [...bound]) this.#drop(node, 'removed');
  }

  /** Lets go of at most `limit` expired bindings, the least recently updated first. */
  sweep(now: number, limit: number): void {
    const time = this.#tick(now);
    for (let swept = 0; swept < limit; swept += 1) {
      const oldest = this.#oldest;
      if (oldest === undefined || time < oldest.expiresAt) return;
      this.#drop(oldest, 'ttl');
    }
  }

  /** A clock that jumps back revives nothing. */
  #tick(now: number): number {
    if (now > this.#now) this.#now = now;
    return this.#now;
  }

  #drop(node: Node<Session>, reason: EvictReason): void {
    // The callback for the one before may have let go of this one.
    if (this.#byKind[node.kind].get(node.key) !== node) return;
    this.#delete(node);
    this.#onEvict(node, reason);
  }

  #delete(node: Node<Session>): void {
    this.#byKind[node.kind].delete(node.key);
    this.#size -= 1;
    this.#unlink(node);
    this.#leave(node);
  }

  #leave(node: Node<Session>): void {
    const bound = this.#bySession.get(node.session);
    bound?.delete(node);
    if (bound?.size === 0) this.#bySession.delete(node.session);
  }

  #append(node: Node<Session>): void {
    node.before = this.#newest;
    if (this.#newest === undefined) this.#oldest = node;
    else this.#newest.after = node;
    this.#newest = node;
  }

  #unlink(node: Node<Session>): void {
    const { before, after } = node;
    if (before === undefined) this.#oldest = after;
    else before.after = after;
    if (after === undefined) this.#newest = before;
    else after.before = before;
    node.before = undefined;
    node.after = undefined;
  }
}
