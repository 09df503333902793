// Why an open would or would not go to a session, in words. Looking is not picking: nothing in the pool changes.
import type { Clock } from '../clock.ts';
import type { Unavailability } from '../errors.ts';
import type { Constraints } from '../routing.ts';
import type { SessionSnapshot } from './stats.ts';

/** What becomes of one session in an open. */
export interface SessionExplanation {
  /** Unique in the pool. */
  readonly key: string;
  /** The node that the session leads to. */
  readonly id: string;
  /** Its name for people. */
  readonly label: string | undefined;
  /**
   * `'eligible'`: the strategy may pick it. `'filtered'`: it is not what the routing asks for. Otherwise the first reason for which it
   * takes no stream.
   */
  readonly verdict: 'eligible' | 'filtered' | Unavailability;
  /** The affinity key of the routing is bound to it. */
  readonly bound: boolean;
  /** For people. */
  readonly detail: string;
}

/** What is explained. */
interface Subject {
  readonly unavailable: Unavailability | undefined;
  /** Nothing but its health, if anything, keeps it from taking a stream. */
  readonly ready: boolean;
  snapshot(): SessionSnapshot;
}

export function explain<Session extends Subject>(
  sessions: Iterable<Session>,
  constraints: Constraints,
  bound: unknown,
  clock: Clock,
  isPanic: boolean,
): SessionExplanation[] {
  return Array.from(sessions, (session) => {
    const snapshot = session.snapshot();
    const { key, id, label } = snapshot;
    const mismatch = mismatchOf(snapshot, constraints);
    const isForgiven = isPanic && session.ready && session.unavailable === 'unhealthy';
    const unavailable = isForgiven ? undefined : session.unavailable;
    const verdict = mismatch === undefined ? (unavailable ?? 'eligible') : 'filtered';
    const forgiven = isForgiven
      ? 'It may be picked though it is unhealthy: so few are healthy that health is ignored'
      : undefined;
    const detail = mismatch ?? forgiven ?? detailOf(session, snapshot, clock.now());
    return { key, id, label, verdict, bound: session === bound, detail };
  });
}

function mismatchOf(session: SessionSnapshot, { key, id, tags = [], metadata = [] }: Constraints): string | undefined {
  if (key !== undefined && session.key !== key) return `Its key is '${session.key}', asked for is '${key}'`;
  if (id !== undefined && session.id !== id) return `Its id is '${session.id}', asked for is '${id}'`;
  for (const tag of tags) if (!session.tags.includes(tag)) return `It has no tag '${tag}'`;
  for (const { name, value } of metadata) {
    if (!Object.hasOwn(session.metadata, name)) return `It has no metadata '${name}', asked for is '${value}'`;
    const own = session.metadata[name];
    if (own !== value) return `Its metadata '${name}' is '${own}', asked for is '${value}'`;
  }
  return undefined;
}

function detailOf(session: Subject, snapshot: SessionSnapshot, now: number): string {
  switch (session.unavailable) {
    case 'closed':
      return 'It has ended';
    case 'draining':
      return `It is draining${since(snapshot.drainStartedAt, now)}${because(snapshot.drainReason)}; ${streamsOf(snapshot)} left`;
    case 'unhealthy':
      return snapshot.ejectedFor === undefined
        ? `${rowOf(snapshot)}${because(snapshot.lastError)}; ${nextOf(snapshot, now)}`
        : `It was ejected: ${snapshot.ejectedFor}; ${nextOf(snapshot, now)}`;
    case 'full':
      return isBelowCap(snapshot) ? 'Its peer has just refused a stream' : `It is at its cap: ${streamsOf(snapshot)}`;
    default:
      return `It may be picked: ${streamsOf(snapshot)}`;
  }
}

function isBelowCap({ activeStreams, pendingStreams, maxActiveStreams }: SessionSnapshot): boolean {
  return activeStreams + pendingStreams < maxActiveStreams;
}

function streamsOf({ activeStreams, pendingStreams, maxActiveStreams }: SessionSnapshot): string {
  const streams = activeStreams + pendingStreams;
  const cap = maxActiveStreams === Infinity ? '' : ` of ${maxActiveStreams}`;
  return `${streams}${cap} stream${streams === 1 && cap === '' ? '' : 's'}`;
}

function rowOf({ consecutiveFailures: failures }: SessionSnapshot): string {
  return `${failures} failure${failures === 1 ? '' : 's'} in a row`;
}

function nextOf({ probing, nextProbeAt }: SessionSnapshot, now: number): string {
  if (nextProbeAt === undefined) return 'a probe is under way';
  return probing ? 'the next open that may go to it probes it' : `it rests for ${seconds(nextProbeAt - now)} more`;
}

function since(at: number | undefined, now: number): string {
  return at === undefined ? '' : ` for ${seconds(now - at)} now`;
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}

/** For people, who do not count milliseconds. */
function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1_000))} s`;
}
