// What an error says of the session that it came from. Read from `code`, `scope` and `refused`: no session's classes are imported.
import type { Hooks } from '../observe/hooks.ts';
import type { SessionSnapshot } from '../observe/stats.ts';

/** `'stream-write'`: writes were pending, or the error came out of one. */
export type FailureOperation = 'open-stream' | 'stream-read' | 'stream-write';

/** `'count'`: one more failure in a row. `'ignore'`: none. `'default'`: as `defaultDecision` says. */
export type FailureDecision = 'count' | 'ignore' | 'default';

/** What a {@link FailureClassifier} decides by. */
export interface FailureContext {
  /** What failed. */
  readonly operation: FailureOperation;
  /** What `open()` rejected with, or what the stream ended with. */
  readonly error: unknown;
  /** The session; this error is not yet counted against its health. */
  readonly session: SessionSnapshot;
  /** What is done if the classifier says `'default'`. */
  readonly defaultDecision: 'count' | 'ignore';
}

/**
 * Decides which errors count against the health of their session. Called once for each attempt that fails and each stream that ends with an
 * error, synchronously; what it throws goes to `onHookPanic`, and the default holds.
 */
export type FailureClassifier = (context: FailureContext) => FailureDecision;

interface ErrorFacts {
  readonly code?: unknown;
  readonly scope?: unknown;
  readonly refused?: unknown;
  readonly syscall?: unknown;
}

const factsOf = (error: unknown): ErrorFacts => (typeof error === 'object' && error !== null ? error : {});

const TAKES_NO_MORE: ReadonlyMap<unknown, string> = new Map([
  ['ERR_YAMUX_GO_AWAY', 'go-away'],
  ['ERR_YAMUX_SESSION_CLOSED', 'session-closed'],
  ['ERR_YAMUX_STREAMS_EXHAUSTED', 'streams-exhausted'],
]);

/** Why the session will never open another stream; undefined if the error does not say so. */
export function retirementOf(error: unknown): string | undefined {
  return TAKES_NO_MORE.get(factsOf(error).code);
}

/** The peer did not take the stream: it has enough of them, which is no fault of the session. */
export function isRefusal(error: unknown): boolean {
  return factsOf(error).refused === true;
}

/** The session itself failed, and every stream of it with it. */
export function isOfSession(error: unknown): boolean {
  return factsOf(error).scope === 'session';
}

/** A session that retires, or has no room, is not at fault: the open goes on to another as if it had not been asked. */
export function isFault(error: unknown): boolean {
  return (
    !isRefusal(error) && retirementOf(error) === undefined && factsOf(error).code !== 'ERR_YAMUX_POOL_DRAIN_TIMEOUT'
  );
}

/** An end that both sides agreed on, or that says something of this stream alone. */
const HARMLESS: ReadonlySet<unknown> = new Set([
  'ERR_YAMUX_GO_AWAY',
  'ERR_YAMUX_STREAMS_EXHAUSTED',
  'ERR_YAMUX_STREAM_RESET',
  'ERR_YAMUX_POOL_NOT_ACKNOWLEDGED',
  'ERR_YAMUX_POOL_DRAIN_TIMEOUT',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ABORT_ERR',
]);

/**
 * A stream's error is its user's, unless the session made it: `pipeline()` passes a browser's ECONNRESET into the stream that it
 * destroys. An open fails by the session alone.
 */
export function defaultDecision(operation: FailureOperation, error: unknown): 'count' | 'ignore' {
  if (isRefusal(error) || HARMLESS.has(factsOf(error).code)) return 'ignore';
  return operation === 'open-stream' || isOfSession(error) ? 'count' : 'ignore';
}

export function streamOperation(error: unknown, pendingBytes: number): FailureOperation {
  return pendingBytes > 0 || factsOf(error).syscall === 'write' ? 'stream-write' : 'stream-read';
}

export class Classifier {
  readonly #classifier: FailureClassifier | undefined;
  readonly #hooks: Hooks;

  constructor(classifier: FailureClassifier | undefined, hooks: Hooks) {
    this.#classifier = classifier;
    this.#hooks = hooks;
  }

  get isCustom(): boolean {
    return this.#classifier !== undefined;
  }

  /** `session` is asked for only if there is a classifier. */
  counts(
    operation: FailureOperation,
    error: unknown,
    byDefault: 'count' | 'ignore',
    session: () => SessionSnapshot,
  ): boolean {
    const classifier = this.#classifier;
    if (classifier === undefined) return byDefault === 'count';
    const context = { operation, error, session: session(), defaultDecision: byDefault };
    const decision = this.#hooks.guard('failureClassifier', () => checkDecision(classifier(context)));
    return (decision === undefined || decision === 'default' ? byDefault : decision) === 'count';
  }
}

function checkDecision(decision: unknown): FailureDecision {
  if (decision === 'count' || decision === 'ignore' || decision === 'default') return decision;
  // An async classifier that also rejects must not take the process down.
  if (decision instanceof Promise) decision.catch(() => {});
  throw new TypeError(`Expected failureClassifier to return 'count', 'ignore' or 'default', got ${String(decision)}`);
}
