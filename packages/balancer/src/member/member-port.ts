// What a member needs of its pool, and what it tells it.
import type { ConditionSettings } from '../health/condition.ts';
import type { Hooks } from '../observe/hooks.ts';
import type { Member } from './member.ts';
import type { SessionFacts } from './session-change.ts';

/** What `add()` was told, checked. */
export interface SessionSettings {
  readonly key: string;
  readonly id: string;
  readonly facts: SessionFacts;
}

/** What a member needs of its pool. */
export interface MemberPort extends ConditionSettings {
  /** Somebody wants to know how quick answers are. */
  readonly isTimed: boolean;
  /** The peer of the member's session has answered an open. */
  answered(member: Member, ms: number): void;
  readonly hooks: Hooks;
  /** It had not answered one, when that ended after so many milliseconds. */
  unanswered(member: Member, ms: number): void;
  /** An open has failed by the member's fault. */
  faulted(member: Member): void;
  /** The member's load, or what makes it eligible, is not what it was. */
  changed(member: Member): void;
  /** The member's tags are not `before` any more. */
  retagged(member: Member, before: ReadonlySet<string>): void;
  /** The member's facts are not what they were. */
  updated(member: Member): void;
  /** The member has begun to drain: one less that lasts. */
  drains(): void;
  /** The member's session has ended. */
  ended(member: Member): void;
  /** The member has just become unhealthy. */
  failed(member: Member, reason: string, error: unknown): void;
}
