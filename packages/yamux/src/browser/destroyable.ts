// How a stream ends, of whichever half: destroy(), one 'error' at most, 'close'. The rules of node:stream.
import { EventEmitter } from './event-emitter.ts';
import { nextTick } from './turns.ts';

export type Callback = (error?: Error | null) => void;

export abstract class Destroyable extends EventEmitter {
  destroyed = false;
  /** 'close' is out, or would be. */
  closed = false;
  errored: Error | null = null;
  readonly #emitClose: boolean;
  /** @internal 'error' is out. */
  protected hasEmittedError = false;
  /** @internal 'close' is out. */
  protected hasEmittedClose = false;

  protected constructor(emitClose: boolean) {
    super();
    this.#emitClose = emitClose;
  }

  destroy(error?: Error | null): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.errored ??= error ?? null;
    let isDone = false;
    const done = (failure?: Error | null): void => {
      if (isDone) return;
      isDone = true;
      this.closed = true;
      this.errored ??= failure ?? null;
      nextTick(() => {
        try {
          if (failure) this.#tellError(failure);
        } finally {
          this.hasEmittedClose = true;
          if (this.#emitClose) this.emit('close');
        }
      });
    };
    try {
      this._destroy(error ?? null, done);
    } catch (failure) {
      done(failure as Error);
    }
    return this;
  }

  #tellError(error: Error): void {
    if (this.hasEmittedError) return;
    this.hasEmittedError = true;
    this.emit('error', error);
  }

  /** For whoever implements a stream. */
  _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    callback(error);
  }
}

/** An error with a code of node:stream. */
export function streamError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
