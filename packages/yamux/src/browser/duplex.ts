// Duplex of node:stream for a browser: bytes only, by its rules. This file is the writing half; readable.ts is the other.
import { type Bytes, bytesOf } from './bytes.ts';
import { type Callback, streamError } from './destroyable.ts';
import { Readable } from './readable.ts';
import { nextTick } from './turns.ts';

interface DuplexOptions {
  readonly highWaterMark?: number;
  readonly readableHighWaterMark?: number;
  readonly writableHighWaterMark?: number;
  readonly allowHalfOpen?: boolean;
  readonly emitClose?: boolean;
}

/** What waits while a write is under way, or corked. */
interface Write {
  readonly chunk: Bytes;
  readonly encoding: 'buffer';
  readonly callback: Callback;
}

const HIGH_WATER_MARK = 65_536;
const noCallback: Callback = () => {};

export class Duplex extends Readable {
  readonly allowHalfOpen: boolean;
  readonly writableHighWaterMark: number;
  readonly writableObjectMode = false;
  writableLength = 0;
  writableCorked = 0;
  /** end() was called. */
  writableEnded = false;
  writableFinished = false;

  #waiting: Write[] = [];
  /** Of the write under way. */
  #callback: Callback | undefined;
  #underWay = 0;
  /** _write() runs. */
  #isSync = false;
  #isFlushing = false;
  #needsDrain = false;
  /** Callbacks to come, and what else 'finish' waits for. */
  #pending = 0;
  #hasCalledFinal = false;
  #isReadyToFinish = false;
  #endCallbacks: Callback[] = [];

  constructor(options: DuplexOptions = {}) {
    const { highWaterMark = HIGH_WATER_MARK, allowHalfOpen = true, emitClose = true } = options;
    super(options.readableHighWaterMark ?? highWaterMark, emitClose);
    this.writableHighWaterMark = options.writableHighWaterMark ?? highWaterMark;
    this.allowHalfOpen = allowHalfOpen;
  }

  get writable(): boolean {
    return !this.destroyed && !this.errored && !this.writableEnded;
  }

  get writableNeedDrain(): boolean {
    return !this.destroyed && !this.writableEnded && this.#needsDrain;
  }

  get writableAborted(): boolean {
    return (this.destroyed || this.errored !== null) && !this.writableFinished;
  }

  /** For whoever implements a stream. */
  override _read(_size: number): void {
    throw streamError('ERR_METHOD_NOT_IMPLEMENTED', 'The _read() method is not implemented');
  }

  /** For whoever implements a stream. */
  _write(_chunk: Bytes, _encoding: string, _callback: Callback): void {
    throw streamError('ERR_METHOD_NOT_IMPLEMENTED', 'The _write() method is not implemented');
  }

  /** For whoever implements a stream: several writes at once. */
  _writev?(writes: readonly Write[], callback: Callback): void;

  /** For whoever implements a stream: before 'finish'. */
  _final?(callback: Callback): void;

  write(chunk: unknown, encoding?: unknown, callback?: Callback): boolean {
    const called = (typeof encoding === 'function' ? encoding : callback) as Callback | undefined;
    if (chunk === null) throw streamError('ERR_STREAM_NULL_VALUES', 'May not write null values to stream');
    const bytes = bytesOf(chunk, typeof encoding === 'function' ? undefined : encoding);
    return this.#refuse('write', called) === undefined && this.#writeOrWait(bytes, called ?? noCallback);
  }

  /** What is wrong with a write now: its callback hears of it, and the stream fails of it. */
  #refuse(name: string, callback: Callback | undefined): Error | undefined {
    let error: Error;
    if (this.writableEnded) error = streamError('ERR_STREAM_WRITE_AFTER_END', 'write after end');
    else if (this.destroyed) error = isDestroyed(name);
    else return undefined;
    if (callback) nextTick(callback, error);
    this.destroy(error);
    return error;
  }

  #writeOrWait(chunk: Bytes, callback: Callback): boolean {
    this.#pending += 1;
    this.writableLength += chunk.length;
    const hasRoom = this.writableLength < this.writableHighWaterMark;
    if (!hasRoom) this.#needsDrain = true;
    if (this.#callback || this.writableCorked > 0 || this.errored) {
      this.#waiting.push({ chunk, encoding: 'buffer', callback });
    } else {
      this.#begin(chunk.length, callback, () => this._write(chunk, 'buffer', this.#onWritten));
    }
    return hasRoom && !this.errored && !this.destroyed;
  }

  #begin(length: number, callback: Callback, call: () => void): void {
    this.#underWay = length;
    this.#callback = callback;
    this.#isSync = true;
    if (this.destroyed) this.#onWritten(isDestroyed('write'));
    else call();
    this.#isSync = false;
  }

  readonly #onWritten: Callback = (error) => {
    const callback = this.#callback;
    if (callback === undefined) {
      this.destroy(streamError('ERR_MULTIPLE_CALLBACK', 'Callback called multiple times'));
      return;
    }
    this.#callback = undefined;
    this.writableLength -= this.#underWay;
    this.#underWay = 0;
    if (error) {
      this.errored ??= error;
      const tell = (): void => {
        this.#pending -= 1;
        callback(error);
        this.#failWaiting();
        this.destroy(error);
      };
      if (this.#isSync) nextTick(tell);
      else tell();
      return;
    }
    if (this.#waiting.length > 0) this.#flush();
    if (this.#isSync) nextTick(() => this.#afterWrite(callback));
    else this.#afterWrite(callback);
  };

  #afterWrite(callback: Callback): void {
    if (!this.writableEnded && !this.destroyed && this.writableLength === 0 && this.#needsDrain) {
      this.#needsDrain = false;
      this.emit('drain');
    }
    this.#pending -= 1;
    callback(null);
    if (this.destroyed) this.#failWaiting();
    this.#finishIfDone();
  }

  #failWaiting(): void {
    if (this.#callback) return;
    const error = this.errored ?? isDestroyed('write');
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { chunk, callback } of waiting) {
      this.writableLength -= chunk.length;
      callback(error);
    }
    this.#callBackEnds(this.errored ?? isDestroyed('end'));
  }

  #callBackEnds(error?: Error): void {
    for (const callback of this.#endCallbacks.splice(0)) callback(error);
  }

  #flush(): void {
    if (this.writableCorked > 0 || this.#isFlushing || this.destroyed) return;
    this.#isFlushing = true;
    while (this.#waiting.length > 0 && !this.#callback) {
      if (this._writev && this.#waiting.length > 1) {
        const writes = this.#waiting;
        this.#waiting = [];
        this.#pending -= writes.length - 1;
        const callback: Callback = (error) => {
          for (const write of writes) write.callback(error);
        };
        this.#begin(this.writableLength, callback, () => this._writev?.(writes, this.#onWritten));
      } else {
        const { chunk, callback } = this.#waiting.shift() as Write;
        this.#begin(chunk.length, callback, () => this._write(chunk, 'buffer', this.#onWritten));
      }
    }
    this.#isFlushing = false;
  }

  cork(): void {
    this.writableCorked += 1;
  }

  uncork(): void {
    if (this.writableCorked === 0) return;
    this.writableCorked -= 1;
    if (!this.#callback) this.#flush();
  }

  end(chunk?: unknown, encoding?: unknown, callback?: Callback): this {
    const args = [chunk, encoding, callback];
    const called = args.find((one) => typeof one === 'function') as Callback | undefined;
    let error: Error | undefined;
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') {
      const bytes = bytesOf(chunk, typeof encoding === 'function' ? undefined : encoding);
      error = this.#refuse('write', undefined);
      if (!error) this.#writeOrWait(bytes, noCallback);
    }
    if (this.writableCorked > 0) {
      this.writableCorked = 1;
      this.uncork();
    }
    if (!error && !this.errored && !this.writableEnded) {
      this.writableEnded = true;
      this.#finishIfDone(true);
    } else if (this.writableFinished) {
      error ??= streamError('ERR_STREAM_ALREADY_FINISHED', 'Cannot call end after a stream was finished');
    } else if (this.destroyed) {
      error ??= isDestroyed('end');
    }
    if (!called) return this;
    if (error || this.writableFinished) nextTick(called, error);
    else this.#endCallbacks.push(called);
    return this;
  }

  get #isDone(): boolean {
    const isWritten = this.writableLength === 0 && this.#waiting.length === 0 && !this.#callback;
    return this.writableEnded && isWritten && !this.destroyed && !this.errored && !this.writableFinished;
  }

  #finishIfDone(isSync = false): void {
    if (!this.#isDone) return;
    this.#callFinal();
    if (this.#pending > 0) return;
    this.#pending += 1;
    const finish = (): void => {
      if (this.#isDone) this.#finish();
      else this.#pending -= 1;
    };
    if (isSync) nextTick(finish);
    else finish();
  }

  #callFinal(): void {
    if (this.#isReadyToFinish || this.#hasCalledFinal) return;
    if (!this._final) {
      this.#isReadyToFinish = true;
      this.emit('prefinish');
      return;
    }
    this.#hasCalledFinal = true;
    this.#pending += 1;
    let isCalled = false;
    const done: Callback = (error) => {
      if (isCalled) return;
      isCalled = true;
      this.#pending -= 1;
      if (error) {
        this.#callBackEnds(error);
        this.destroy(error);
      } else if (this.#isDone) {
        this.#isReadyToFinish = true;
        this.emit('prefinish');
        this.#pending += 1;
        nextTick(() => this.#finish());
      }
    };
    try {
      this._final(done);
    } catch (error) {
      done(error as Error);
    }
  }

  #finish(): void {
    this.#pending -= 1;
    this.writableFinished = true;
    this.#callBackEnds();
    this.emit('finish');
    if (this.readableEnded) this.destroy();
  }

  protected override get isFinished(): boolean {
    return !this.readable && !this.writable;
  }

  protected override inputEnded(): void {
    if (this.writable && !this.allowHalfOpen) {
      nextTick(() => {
        if (this.writable) this.end();
      });
    } else if (this.writableFinished) {
      this.destroy();
    }
  }

  override destroy(error?: Error | null): this {
    if (!this.destroyed && (this.#waiting.length > 0 || this.#endCallbacks.length > 0)) {
      nextTick(() => this.#failWaiting());
    }
    return super.destroy(error);
  }
}

function isDestroyed(name: string): Error {
  return streamError('ERR_STREAM_DESTROYED', `Cannot call ${name} after a stream was destroyed`);
}
