// What an owner holds of a pooled session.
import { type InspectOptions, inspect } from 'node:util';
import type { SessionSnapshot } from '../observe/stats.ts';
import type { PoolableSession } from '../poolable-session.ts';
import type { DrainHandle, DrainOptions } from './drain.ts';
import type { Member } from './member.ts';
import type { SessionChange, SessionUpdate } from './session-change.ts';

/** The handle that `add()` returns: one session in one pool. It stays safe to use after the session has left. */
export class SessionRef<Session extends PoolableSession = PoolableSession> {
  readonly #member: Member;
  readonly #leave: (member: Member) => boolean;

  /** @internal Made by the pool. */
  constructor(member: Member, leave: (member: Member) => boolean) {
    this.#member = member;
    this.#leave = leave;
  }

  /** What was given to `add()`. */
  get session(): Session {
    // A member knows its session by what every session has.
    return this.#member.session as Session;
  }

  /** Unique in the pool. */
  get key(): string {
    return this.#member.key;
  }

  /** The node that it leads to. */
  get id(): string {
    return this.#member.id;
  }

  /** Its name for people. */
  get label(): string | undefined {
    return this.#member.label;
  }

  /** True once the session has left the pool, by `remove()` or by its own end. */
  get removed(): boolean {
    return this.#member.removed;
  }

  /** How it is now, or how it was left when it has left the pool; its streams still count down. */
  snapshot(): SessionSnapshot {
    return this.#member.snapshot();
  }

  /**
   * Changes what its owner says of it, all at once or not at all, for the opens that come; streams go on as they are.
   * @throws RangeError or TypeError for a wrong label, weight, cap or metadata.
   */
  update(...changes: readonly (SessionChange | SessionUpdate)[]): SessionSnapshot {
    this.#member.update(changes);
    return this.snapshot();
  }

  /**
   * No new streams from now on; those that are open or opening go on. Draining again changes the reason and the time
   * limit, and shares `done`. On a session that has left the pool, `done` resolves at once with `'removed'`.
   * @throws RangeError if `timeout` is not a delay, TypeError if `onTimeout` is unknown or the session cannot do it.
   */
  drain(options?: string | DrainOptions): DrainHandle {
    return this.#member.drain(typeof options === 'string' ? { reason: options } : (options ?? {}));
  }

  /**
   * Takes new streams again. False if it was not draining, or if it has to go on: the peer has sent GoAway, the stream
   * ids are used up, or the session has left the pool.
   */
  resume(): boolean {
    return this.#member.resume();
  }

  /** Leaves the pool. The session stays open and its streams go on. False if it had left already. */
  remove(): boolean {
    return this.#leave(this.#member);
  }

  /** @internal */
  [inspect.custom](_depth: number, options: InspectOptions): string {
    const { key, id, label, activeStreams, pendingStreams, available, healthy, draining } = this.snapshot();
    const facts = {
      key,
      id,
      label,
      activeStreams,
      pendingStreams,
      available,
      healthy,
      draining,
      removed: this.removed,
    };
    return `SessionRef ${inspect(facts, options)}`;
  }
}
