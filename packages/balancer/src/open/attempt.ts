// One try to open one stream on one session. It holds the slot while the session decides, however long the caller waits.
import type { Duplex } from 'node:stream';
import { PoolError } from '../errors.ts';
import { defaultDecision, streamOperation } from '../health/failure.ts';
import type { Member } from '../member/member.ts';
import type { Slot } from '../member/slots.ts';
import type { PoolableSession } from '../poolable-session.ts';
import type { AttemptSignal } from './attempt-signals.ts';

/** A stream that may tell when its peer has answered, as a YamuxStream does. */
type Acknowledgeable = Duplex & { readonly acknowledged?: boolean };

/** Of what began before its session joined anew: no health hears of it. */
const STRAGGLER = -1;

/** Hears how an attempt for an open ends: once, by one of the two. */
export interface AttemptListener<Open> {
  opened(open: Open, attempt: Attempt<Open>, stream: Duplex): void;
  /** The slot is free, or will be as soon as the session settles. */
  failed(open: Open, attempt: Attempt<Open>, error: unknown): void;
}

export class Attempt<Open> implements Slot {
  previous: Slot | undefined;
  next: Slot | undefined;
  readonly #listener: AttemptListener<Open>;
  readonly #open: Open;
  readonly #acknowledged: boolean;
  readonly #signal: AttemptSignal | undefined;
  #member: Member;
  #epoch: number;
  #settled = false;
  #handedOver = false;
  #stream: Duplex | undefined;
  /** Bytes that waited to be written when the stream was destroyed. */
  #unwritten = 0;
  /** Its peer owes an answer to it. */
  #isUnanswered = true;
  readonly #startedAt: number;

  constructor(
    listener: AttemptListener<Open>,
    open: Open,
    member: Member,
    turn: number,
    acknowledged: boolean,
    signal: AttemptSignal | undefined,
  ) {
    this.#listener = listener;
    this.#open = open;
    this.#member = member;
    this.#acknowledged = acknowledged;
    this.#signal = signal;
    this.#epoch = member.condition.epoch;
    this.#startedAt = member.begin(this, turn);
    openOn(member.session, signal?.signal).then(
      (stream) => this.#opened(stream),
      (error: unknown) => this.#refused(error),
    );
  }

  /** Whose slot it holds. */
  get member(): Member {
    return this.#member;
  }

  /** The session's time in which it began. */
  get epoch(): number {
    return this.#epoch;
  }

  move(member: Member): void {
    this.#member = member;
    this.#epoch = STRAGGLER;
    // Nor does it count among those whose answer the member waits for.
    this.#isUnanswered = false;
  }

  /** Nobody waits any more: rejects now, and a stream that has come or still comes is destroyed. */
  abandon(error: unknown): void {
    if (this.#settled) return;
    this.#fail(error);
    this.#stream?.destroy();
  }

  reset(error: Error): void {
    this.#stream?.destroy(error);
  }

  #opened(stream: Acknowledgeable): void {
    if (typeof (stream as Partial<Duplex> | undefined)?.once !== 'function') {
      this.#refused(
        new TypeError(`Expected open() of session '${this.#member.key}' to resolve to a Duplex, got ${String(stream)}`),
      );
      return;
    }
    this.#stream = stream;
    this.#member.opened();
    this.#watch(stream);
    if (this.#settled) discard(stream);
    else if (this.#acknowledged && stream.acknowledged === false) this.#awaitAcknowledgement(stream);
    else this.#succeed(stream);
  }

  #refused(error: unknown): void {
    this.#settleAnswer(false);
    // First: its open hears of it, and it is judged, before the slot goes to one that waits.
    if (!this.#settled) this.#fail(error);
    this.#member.refused(this);
  }

  /** No 'error' listener: that would hide the error from a user who has none. What the stream died of is read when it is closed. */
  #watch(stream: Acknowledgeable): void {
    const { condition } = this.#member;
    if (stream.acknowledged === true) this.#answered();
    else if (stream.acknowledged === false) stream.on('acknowledged', this.#answered);
    else {
      this.#settleAnswer(true);
      condition.awaitBytes(this.#epoch, () => hasReceived(stream));
    }
    if (condition.isClassified) this.#noteUnwritten(stream);
    // Not once(), which makes two objects more for each.
    if (stream.closed) this.#closed();
    else stream.on('close', this.#closed);
  }

  readonly #answered = (): void => {
    this.#stream?.off('acknowledged', this.#answered);
    this.#settleAnswer(true);
    this.#member.condition.succeeded(this.#epoch);
  };

  #settleAnswer(isAnswer: boolean): void {
    if (!this.#isUnanswered) return;
    this.#isUnanswered = false;
    if (isAnswer) this.#member.answered(this.#startedAt);
    else this.#member.unanswered(this.#startedAt);
  }

  /**
   * Node calls back what waits, and forgets it, before 'close': it is seen only at the moment of destruction. Nobody but a classifier
   * asks for it.
   */
  #noteUnwritten(stream: Duplex): void {
    const destroy = stream._destroy;
    stream._destroy = (error, callback) => {
      this.#unwritten = stream.writableLength;
      destroy.call(stream, error, callback);
    };
  }

  readonly #closed = (): void => {
    const stream = this.#stream as Acknowledgeable;
    const member = this.#member;
    stream.off('close', this.#closed);
    this.#settleAnswer(false);
    // A stream that is not of node:stream may not know.
    const error = stream.errored ?? null;
    member.release(this);
    // Before that the error is the open's, and judged with it.
    if (!this.#handedOver) return;
    this.#signal?.release();
    const { condition } = member;
    // An error after bytes ends a trial that had succeeded; of a healthy session it stays one more in the row.
    const isAnswer = stream.acknowledged === undefined && (error === null || !condition.healthy);
    if (isAnswer && hasReceived(stream)) condition.succeeded(this.#epoch);
    if (error === null) {
      condition.ended(this.#epoch);
    } else {
      const operation = streamOperation(error, this.#unwritten);
      condition.failed(this.#epoch, operation, error, defaultDecision(operation, error));
    }
  };

  #awaitAcknowledgement(stream: Acknowledgeable): void {
    const ended = (error?: Error | null): void => {
      off();
      // From here on nobody else holds the stream: what it still says is said to nobody.
      discard(stream);
      if (!this.#settled) this.#fail(error ?? unacknowledged());
    };
    const closed = (): void => ended(stream.errored);
    const acknowledged = (): void => {
      stream.off('acknowledged', acknowledged);
      // An RST in the same chunk emits 'error' before any promise can continue. The listeners stay until nothing can come
      // between them and the caller's own.
      setImmediate(() => {
        if (this.#settled || stream.destroyed) return;
        off();
        this.#succeed(stream);
      });
    };
    const off = (): void => {
      stream.off('acknowledged', acknowledged);
      stream.off('error', ended);
      stream.off('close', closed);
    };
    // One that has closed already says nothing more.
    if (stream.closed) {
      ended(stream.errored);
      return;
    }
    stream.on('acknowledged', acknowledged);
    stream.on('error', ended);
    stream.on('close', closed);
  }

  #succeed(stream: Duplex): void {
    this.#settled = true;
    this.#handedOver = true;
    this.#listener.opened(this.#open, this, stream);
  }

  #fail(error: unknown): void {
    this.#settled = true;
    this.#listener.failed(this.#open, this, error);
  }
}

function openOn(session: PoolableSession, signal: AbortSignal | undefined): Promise<Duplex> {
  try {
    // What is no promise is a stream, or an error of its own.
    return Promise.resolve(session.open(signal === undefined ? undefined : { signal }));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Asked of the stream, because a listener would set it flowing. */
function hasReceived(stream: Duplex): boolean {
  return stream.readableDidRead || stream.readableEnded || stream.readableLength > 0;
}

/** Ends a stream that no user has seen, so that its error is nobody's uncaught exception. */
function discard(stream: Duplex): void {
  stream.on('error', () => {});
  stream.destroy();
}

function unacknowledged(): PoolError {
  return new PoolError('ERR_YAMUX_POOL_NOT_ACKNOWLEDGED', 'The stream closed before its peer acknowledged it');
}
