// The readable side of a stream. Node gets bytes from the wire stream only when it asks for them, so every way of reading follows Node's own
// rules. This class is also the entry for all calls from below.

import type { AsyncResource } from 'node:async_hooks';
import type { NextTurn } from '../next-turn.ts';
import type { WireStream } from '../stream/wire-stream.ts';
import { throwOutside } from '../throw-outside.ts';
import { type SocketContext, SocketShape } from './socket-shape.ts';

/** An empty chunk: pushing it tells Node that it may ask again, and adds no bytes. */
const NOTHING = Buffer.alloc(0);

/** The number of chunks of any size that Node may buffer while nobody reads; further chunks must be larger. */
const MAX_CRUMBS = 64;
const CRUMB = 1024;

/** What all streams of one session share. */
export interface StreamContext extends SocketContext {
  /** Calls turnCame() of each stream. */
  readonly turns: NextTurn<ReadableHalf>;
}

export abstract class ReadableHalf extends SocketShape {
  /** @internal */
  protected readonly wire: WireStream;
  /** @internal While set, no event is emitted: the code that awaits the stream cannot listen yet. */
  protected isHeld = false;
  /** The async context in which the stream was opened, if an AsyncLocalStorage has a store there. */
  readonly #context: AsyncResource | undefined;
  readonly #turns: NextTurn<ReadableHalf>;
  /** Chunks given to Node since its buffer was last empty. */
  #pieces = 0;
  /** Node waits for bytes. */
  #isAsked = false;
  #willTell = false;
  #waitsForTurn = false;
  /** The stream flows without a 'data' listener for a whole turn: every byte may be dropped. */
  #isIgnored = false;
  /** The peer's FIN has come, and 'end' may be emitted. */
  #mayEnd = false;

  protected constructor(wire: WireStream, shared: StreamContext, allowHalfOpen: boolean, context?: AsyncResource) {
    super(shared, allowHalfOpen);
    this.wire = wire;
    this.#context = context;
    this.#turns = shared.turns;
  }

  // The invariant: while bytes wait in the wire stream, Node can ask for them with the next read(), or it has asked and gets them in the
  // next turn.

  override _read(): void {
    if (this.wire.unreadBytes > 0 && this.#isUnheard()) {
      this.#isAsked = true;
      // Not shared: this call may come from the reader's async context, in which no other stream's listeners may run.
      if (!this.#waitsForTurn) setImmediate(() => this.turnCame());
      this.#waitsForTurn = true;
    } else {
      this.#give();
    }
  }

  #give(): void {
    let chunk = this.wire.take();
    const isNothing = chunk === undefined;
    // As much as Node has room for, so that read(n) finds all bytes that have arrived.
    while (chunk) {
      this.#pieces += 1;
      chunk = this.push(chunk) && !this.#isUnheard() ? this.wire.take() : undefined;
    }
    if (this.#hasEnded) {
      this.push(null);
      // A reader that has read exactly all bytes asks for no more, so Node would not notice the end.
      process.nextTick(() => this.read(0));
    } else if (isNothing && this.readableFlowing) this.#isAsked = true;
    else if (isNothing) this.push(NOTHING);
  }

  /** All bytes have come, and Node has them. */
  get #hasEnded(): boolean {
    return this.#mayEnd && this.wire.unreadBytes === 0;
  }

  // A socket emits each chunk, and the end, after a read of its own, and promises are resolved in between. So code that awaited 'data' can
  // listen for the next event before it is emitted. The same must hold if all came in one chunk.

  /** Node would emit 'data', but the code that awaited the last 'data' has not added its next listener yet. */
  #isUnheard(): boolean {
    const isHeard = this.listenerCount('data') > 0;
    if (isHeard) this.#isIgnored = false;
    return this.readableFlowing === true && !isHeard && !this.#isIgnored;
  }

  /** @internal */
  turnCame(): void {
    this.#waitsForTurn = false;
    this.#mayEnd = this.wire.isInputWhole;
    this.#isIgnored ||= this.#isUnheard();
    if (!this.destroyed) this.enter(this.#refresh);
  }

  /** @internal */
  get isFlowing(): boolean {
    return this.readableFlowing === true && this.readableLength === 0 && !this.#isUnheard();
  }

  /** @internal */
  get hasPausedReader(): boolean {
    return this.readableFlowing === false && this.listenerCount('readable') === 0;
  }

  /** @internal */
  deliver(slice: Buffer): void {
    this.#isAsked = false;
    this.enter(this.#push, slice);
  }

  /** @internal */
  arrived(): void {
    if (this.isHeld || this.destroyed) return;
    if (this.readableFlowing && (this.wire.isInputWhole || this.#isUnheard())) {
      if (!this.#waitsForTurn) this.#turns.add(this);
      this.#waitsForTurn = true;
    } else {
      this.#mayEnd = this.wire.isInputWhole;
      this.enter(this.#refresh);
    }
  }

  #push(slice: Buffer): void {
    this.push(slice);
  }

  /** Called when bytes wait in the wire stream. Node gets the first chunk at once, and asks for more when somebody reads. */
  #refresh(): void {
    if (this.#hasEnded) {
      this.push(null);
      // An empty input ends even if nobody reads.
      this.read(0);
    } else if (this.#isAsked) {
      this.#isAsked = false;
      this.#give();
    } else if (this.#isWorthAPiece) {
      this.read(0);
    } else if (this.listenerCount('readable') > 0) {
      this.#tellThisTick();
    }
  }

  /** Node buffers up to its highWaterMark, as for a socket, but not in tiny chunks: each chunk is an object, and perhaps nobody reads. */
  get #isWorthAPiece(): boolean {
    if (this.readableLength === 0) this.#pieces = 0;
    const isRoom = this.readableLength < this.readableHighWaterMark;
    return isRoom && (this.#pieces < MAX_CRUMBS || this.wire.unreadBytes >= CRUMB);
  }

  /** A 'readable' listener may have left bytes because they were too few, and needs another event when more come. */
  #tellThisTick(): void {
    if (this.#willTell) return;
    this.#willTell = true;
    process.nextTick(() => {
      this.#willTell = false;
      if (!this.destroyed && (this.wire.unreadBytes > 0 || this.wire.isInputWhole)) this.emit('readable');
    });
  }

  /** @internal The entry for all calls from below. Runs them in the async context of open(), and throws errors of listeners outside our loops. */
  protected enter<T>(call: (argument: T) => void, argument: T): void;
  protected enter(call: () => void): void;
  protected enter(call: (argument?: unknown) => void, argument?: unknown): void {
    try {
      if (this.#context) this.#context.runInAsyncScope(call, this, argument);
      else call.call(this, argument);
    } catch (error) {
      throwOutside(error);
    }
  }
}
