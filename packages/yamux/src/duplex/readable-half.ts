// The reading half of a stream: Node gets from the wire stream what it asks for, when it asks, and so every way of reading works by Node's own
// rules. The way in for all calls from below, too.

import type { AsyncResource } from 'node:async_hooks';
import type { WireStream } from '../stream/wire-stream.ts';
import { throwOutside } from '../throw-outside.ts';
import { type SocketContext, SocketShape } from './socket-shape.ts';

/** Given to a reader for which there is nothing: it tells Node that it may ask again, and adds nothing. */
const NOTHING = Buffer.alloc(0);

/** Node is given so many pieces of any size while it is not read, and then only larger ones. */
const MAX_CRUMBS = 64;
const CRUMB = 1024;

export abstract class ReadableHalf extends SocketShape {
  /** @internal */
  protected readonly wire: WireStream;
  /** @internal While set, nothing is told: the code that awaits the stream can't listen yet. */
  protected isHeld = false;
  /** In which the stream was opened, if an AsyncLocalStorage has a store there. */
  readonly #context: AsyncResource | undefined;
  /** Given to Node since nothing was left unread there. */
  #pieces = 0;
  /** Node waits for bytes. */
  #isAsked = false;
  #willTell = false;
  #willRefresh = false;
  /** It flows, and nobody has listened for a turn: all that comes goes. */
  #isIgnored = false;
  /** The peer's FIN has come, and may be told. */
  #mayEnd = false;

  protected constructor(wire: WireStream, shared: SocketContext, allowHalfOpen: boolean, context?: AsyncResource) {
    super(shared, allowHalfOpen);
    this.wire = wire;
    this.#context = context;
  }

  // The invariant: while bytes wait in the wire stream, Node is free to ask for them, and does at the next read(); or has asked, and gets them
  // in the next turn.

  override _read(): void {
    if (this.wire.unreadBytes > 0 && this.#isUnheard()) {
      this.#isAsked = true;
      this.#refreshNextTurn();
    } else {
      this.#give();
    }
  }

  #give(): void {
    let chunk = this.wire.take();
    const isNothing = chunk === undefined;
    // All that Node has room for, so that a read(n) has what is here.
    while (chunk) {
      this.#pieces += 1;
      chunk = this.push(chunk) && !this.#isUnheard() ? this.wire.take() : undefined;
    }
    if (this.#hasEnded) {
      this.push(null);
      // Who has read exactly all that there was asks for no more, and would not be told of the end.
      process.nextTick(() => this.read(0));
    } else if (isNothing && this.readableFlowing) this.#isAsked = true;
    else if (isNothing) this.push(NOTHING);
  }

  /** All has come, and is with Node. */
  get #hasEnded(): boolean {
    return this.#mayEnd && this.wire.unreadBytes === 0;
  }

  // A socket hears of bytes, of more bytes and of the end in reads of their own, and between these all promises go on. So who awaited 'data' can
  // listen for what is next before that comes, also if it came in the same chunk.

  /** Node would emit 'data', and who awaited it last does not listen again yet. */
  #isUnheard(): boolean {
    const isHeard = this.listenerCount('data') > 0;
    if (isHeard) this.#isIgnored = false;
    return this.readableFlowing === true && !isHeard && !this.#isIgnored;
  }

  #refreshNextTurn(): void {
    if (this.#willRefresh) return;
    this.#willRefresh = true;
    setImmediate(() => {
      this.#willRefresh = false;
      this.#mayEnd = this.wire.isInputWhole;
      this.#isIgnored ||= this.#isUnheard();
      if (!this.destroyed) this.enter(this.#refresh);
    });
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
      this.#refreshNextTurn();
    } else {
      this.#mayEnd = this.wire.isInputWhole;
      this.enter(this.#refresh);
    }
  }

  #push(slice: Buffer): void {
    this.push(slice);
  }

  /** Something waits in the wire stream: Node gets a first piece at once, and asks for more when somebody reads. */
  #refresh(): void {
    if (this.#hasEnded) {
      this.push(null);
      // An input that holds nothing ends although nobody reads.
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

  /** Node buffers up to its highWaterMark, as for a socket; but not by crumbs: each piece is an object, and nobody may be reading. */
  get #isWorthAPiece(): boolean {
    if (this.readableLength === 0) this.#pieces = 0;
    const isRoom = this.readableLength < this.readableHighWaterMark;
    return isRoom && (this.#pieces < MAX_CRUMBS || this.wire.unreadBytes >= CRUMB);
  }

  /** Who listens for 'readable' may have left what there was because it was not enough, and waits to be told of more. */
  #tellThisTick(): void {
    if (this.#willTell) return;
    this.#willTell = true;
    process.nextTick(() => {
      this.#willTell = false;
      if (!this.destroyed && (this.wire.unreadBytes > 0 || this.wire.isInputWhole)) this.emit('readable');
    });
  }

  /** @internal All calls from below pass here: they run in the context of the stream's open(), and what a listener throws stays the listener's. */
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
