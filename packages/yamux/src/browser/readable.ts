// The reading half of a Duplex: bytes only, by the rules of node:stream. Its comments say no more than what differs from there: it decodes UTF-8 alone.
import { type Bytes, bytesOf, checkEncoding } from './bytes.ts';
import { type Chunk, Chunks } from './chunks.ts';
import { Destroyable, streamError } from './destroyable.ts';
import { nextTick } from './turns.ts';

type Listener = Parameters<Destroyable['on']>[1];

/** What pipe() needs of the other end. */
interface Sink {
  readonly writableNeedDrain?: boolean;
  write(chunk: Chunk): boolean;
  end(): unknown;
  on(event: string, listener: Listener): unknown;
  once(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  listenerCount(event: string): number;
}

export abstract class Readable extends Destroyable {
  readableHighWaterMark: number;
  readableFlowing: boolean | null = null;
  readableEnded = false;
  readableDidRead = false;
  readonly readableObjectMode = false;
  readableEncoding: 'utf8' | null = null;

  readonly #chunks = new Chunks();
  #decoder: InstanceType<typeof TextDecoder> | undefined;
  /** push(null) has come. */
  #hasEnd = false;
  /** _read() was called and has not been answered. */
  #isReading = false;
  /** _read() runs. */
  #isSync = true;
  /** Who listens for 'readable' is to be told of the next bytes. */
  #needsReadable = false;
  #hasEmittedReadable = false;
  #hasReadableListener = false;
  #willResume = false;
  #willReadMore = false;
  #isPaused = false;
  readonly #sinks = new Map<Sink, () => void>();

  protected constructor(highWaterMark: number, emitClose: boolean) {
    super(emitClose);
    this.readableHighWaterMark = highWaterMark;
  }

  get readableLength(): number {
    return this.#chunks.length;
  }

  get readable(): boolean {
    return !this.destroyed && !this.hasEmittedError && !this.readableEnded;
  }

  get readableAborted(): boolean {
    return (this.destroyed || this.errored !== null) && !this.readableEnded;
  }

  /** For whoever implements a stream. */
  abstract _read(size: number): void;

  /** @internal Nothing is to come in either direction. */
  protected abstract get isFinished(): boolean;

  /** @internal 'end' is out. */
  protected abstract inputEnded(): void;

  push(chunk: unknown, encoding?: string): boolean {
    this.#isReading = false;
    if (chunk === null) {
      this.#receiveEnd();
      return false;
    }
    const bytes = bytesOf(chunk, encoding);
    if (bytes.length === 0) {
      this.#readMore();
    } else if (this.#hasEnd) {
      this.destroy(streamError('ERR_STREAM_PUSH_AFTER_EOF', 'stream.push() after EOF'));
      return false;
    } else if (this.destroyed || this.errored) {
      return false;
    } else {
      this.#add(this.#decoder ? this.#decoder.decode(bytes, { stream: true }) : bytes);
    }
    return this.#wantsMore;
  }

  unshift(chunk: unknown, encoding?: string): boolean {
    const bytes = bytesOf(chunk, encoding);
    if (this.readableEnded) {
      this.destroy(streamError('ERR_STREAM_UNSHIFT_AFTER_END_EVENT', 'stream.unshift() after end event'));
    } else if (bytes.length > 0 && !this.destroyed && !this.errored) {
      const front = this.#decoder ? bytes.toString() : bytes;
      this.#chunks.unshift(front);
      if (this.#needsReadable) this.#tellReadable();
      this.#readMore();
    }
    return this.#wantsMore;
  }

  get #wantsMore(): boolean {
    return !this.#hasEnd && (this.readableLength < this.readableHighWaterMark || this.readableLength === 0);
  }

  #add(chunk: Chunk): void {
    if (chunk.length > 0) {
      const isHeard = this.readableFlowing && this.readableLength === 0 && !this.#isSync;
      if (isHeard && this.listenerCount('data') > 0) {
        this.readableDidRead = true;
        this.emit('data', chunk);
      } else {
        this.#chunks.push(chunk);
        if (this.#needsReadable) this.#tellReadable();
      }
    }
    this.#readMore();
  }

  #receiveEnd(): void {
    if (this.#hasEnd) return;
    const rest = this.#decoder?.decode() ?? '';
    if (rest.length > 0) this.#chunks.push(rest);
    this.#hasEnd = true;
    if (this.#isSync) {
      this.#tellReadable();
    } else {
      this.#needsReadable = false;
      this.#hasEmittedReadable = true;
      this.#emitReadable();
    }
  }

  #readMore(): void {
    if (this.#willReadMore) return;
    this.#willReadMore = true;
    nextTick(() => {
      while (!this.#isReading && !this.#hasEnd) {
        const before = this.readableLength;
        if (before >= this.readableHighWaterMark && !(this.readableFlowing && before === 0)) break;
        this.read(0);
        if (this.readableLength === before) break;
      }
      this.#willReadMore = false;
    });
  }

  read(size?: number | null): Chunk | null {
    const wanted = size ?? Number.NaN;
    if (wanted > this.readableHighWaterMark) this.readableHighWaterMark = 2 ** Math.ceil(Math.log2(wanted));
    if (wanted !== 0) this.#hasEmittedReadable = false;
    const isFull = this.readableLength >= Math.max(this.readableHighWaterMark, 1);
    if (wanted === 0 && this.#needsReadable && (isFull || this.#hasEnd)) {
      if (this.readableLength === 0 && this.#hasEnd) this.#end();
      else this.#tellReadable();
      return null;
    }
    let length = this.#howMuch(wanted);
    if (length === 0 && this.#hasEnd) {
      if (this.readableLength === 0) this.#end();
      return null;
    }
    const left = this.readableLength - length;
    if (this.#needsReadable || this.readableLength === 0 || left < this.readableHighWaterMark) {
      this.#ask();
      if (!this.#isReading) length = this.#howMuch(wanted);
    }
    const chunk = length > 0 ? this.#chunks.take(length) : null;
    if (chunk === null) this.#needsReadable = this.readableLength <= this.readableHighWaterMark;
    if (this.readableLength === 0) {
      if (!this.#hasEnd) this.#needsReadable = true;
      else if (wanted !== length) this.#end();
    }
    if (chunk !== null && !this.errored && !this.hasEmittedClose) {
      this.readableDidRead = true;
      this.emit('data', chunk);
    }
    return chunk;
  }

  #howMuch(wanted: number): number {
    if (wanted <= 0 || (this.readableLength === 0 && this.#hasEnd)) return 0;
    if (Number.isNaN(wanted)) {
      const isPiecewise = this.readableFlowing && this.readableLength > 0;
      return isPiecewise ? this.#chunks.firstLength : this.readableLength;
    }
    if (wanted <= this.readableLength) return wanted;
    return this.#hasEnd ? this.readableLength : 0;
  }

  #ask(): void {
    if (this.#hasEnd || this.#isReading || this.destroyed || this.errored) return;
    this.#isReading = true;
    this.#isSync = true;
    if (this.readableLength === 0) this.#needsReadable = true;
    try {
      this._read(this.readableHighWaterMark);
    } catch (error) {
      this.destroy(error as Error);
    }
    this.#isSync = false;
  }

  #tellReadable(): void {
    this.#needsReadable = false;
    if (this.#hasEmittedReadable) return;
    this.#hasEmittedReadable = true;
    nextTick(() => this.#emitReadable());
  }

  #emitReadable(): void {
    if (!this.destroyed && !this.errored && (this.readableLength > 0 || this.#hasEnd)) {
      this.emit('readable');
      this.#hasEmittedReadable = false;
    }
    this.#needsReadable = !this.readableFlowing && !this.#hasEnd && this.readableLength <= this.readableHighWaterMark;
    this.#flow();
  }

  #flow(): void {
    while (this.readableFlowing && this.read() !== null);
  }

  #end(): void {
    if (this.readableEnded) return;
    nextTick(() => {
      if (this.errored || this.hasEmittedClose || this.readableEnded || this.readableLength > 0) return;
      this.readableEnded = true;
      this.emit('end');
      this.inputEnded();
    });
  }

  override on(event: string | symbol, listener: Listener): this {
    super.on(event, listener);
    if (event === 'data') {
      this.#hasReadableListener = this.listenerCount('readable') > 0;
      if (this.readableFlowing !== false) this.resume();
    } else if (event === 'readable' && !this.readableEnded && !this.#hasReadableListener) {
      this.#hasReadableListener = true;
      this.#needsReadable = true;
      this.readableFlowing = false;
      this.#hasEmittedReadable = false;
      if (this.readableLength > 0) this.#tellReadable();
      else if (!this.#isReading) nextTick(() => this.read(0));
    }
    return this;
  }

  override off(event: string | symbol, listener: Listener): this {
    super.off(event, listener);
    if (event === 'readable') {
      nextTick(() => {
        this.#hasReadableListener = this.listenerCount('readable') > 0;
        if (this.#willResume && !this.#isPaused) this.readableFlowing = true;
        else if (this.listenerCount('data') > 0) this.resume();
        else if (!this.#hasReadableListener) this.readableFlowing = null;
      });
    }
    return this;
  }

  resume(): this {
    if (!this.readableFlowing) {
      this.readableFlowing = !this.#hasReadableListener;
      if (!this.#willResume) {
        this.#willResume = true;
        nextTick(() => {
          if (!this.#isReading) this.read(0);
          this.#willResume = false;
          this.emit('resume');
          this.#flow();
          if (this.readableFlowing && !this.#isReading) this.read(0);
        });
      }
    }
    this.#isPaused = false;
    return this;
  }

  pause(): this {
    if (this.readableFlowing !== false) {
      this.readableFlowing = false;
      this.emit('pause');
    }
    this.#isPaused = true;
    return this;
  }

  isPaused(): boolean {
    return this.#isPaused || this.readableFlowing === false;
  }

  /** @throws {RangeError} for any other encoding than UTF-8. */
  setEncoding(encoding?: string): this {
    checkEncoding(encoding);
    this.#decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    this.readableEncoding = 'utf8';
    const bytes = this.#chunks.take(this.#chunks.length) as Bytes;
    const text = this.#decoder.decode(bytes, { stream: true });
    if (text !== '') this.#chunks.push(text);
    return this;
  }

  pipe<T extends Sink>(sink: T, options: { readonly end?: boolean } = {}): T {
    const onData = (chunk: Chunk): void => {
      if (sink.write(chunk)) return;
      this.pause();
      sink.once('drain', onDrain);
    };
    const onDrain = (): void => void this.resume();
    const onEnd = (): void => void (options.end === false ? this.unpipe(sink) : sink.end());
    const onGone = (): void => void this.unpipe(sink);
    const onError = (error: unknown): void => {
      this.unpipe(sink);
      if (sink.listenerCount('error') === 0) throw error;
    };
    this.#sinks.set(sink, () => {
      this.off('data', onData);
      this.off('end', onEnd);
      sink.off('drain', onDrain);
      sink.off('close', onGone);
      sink.off('finish', onGone);
      sink.off('error', onError);
    });
    this.on('data', onData);
    if (this.readableEnded) nextTick(onEnd);
    else this.once('end', onEnd);
    sink.once('close', onGone);
    sink.once('finish', onGone);
    sink.on('error', onError);
    sink.emit('pipe', this);
    if (sink.writableNeedDrain === true) {
      this.pause();
      sink.once('drain', onDrain);
    } else if (!this.readableFlowing) {
      this.resume();
    }
    return sink;
  }

  /** Of one, or of all. */
  unpipe(sink?: Sink): this {
    const sinks = sink === undefined ? [...this.#sinks.keys()] : [sink];
    for (const one of sinks) {
      const undo = this.#sinks.get(one);
      if (undo === undefined) continue;
      this.#sinks.delete(one);
      undo();
      if (this.#sinks.size === 0) this.pause();
      one.emit('unpipe', this);
    }
    return this;
  }

  [Symbol.asyncIterator](): AsyncGenerator<Chunk, void> {
    return this.iterator();
  }

  async *iterator(options: { readonly destroyOnReturn?: boolean } = {}): AsyncGenerator<Chunk, void> {
    let wake: (() => void) | undefined;
    const events = ['readable', 'end', 'error', 'close'];
    const onEvent = (): void => wake?.();
    for (const event of events) this.on(event, onEvent);
    let isOver = false;
    try {
      for (;;) {
        const chunk = this.destroyed ? null : this.read();
        if (chunk !== null) {
          yield chunk;
          continue;
        }
        isOver = true;
        if (this.errored) throw this.errored;
        if (this.readableEnded) return;
        if (this.closed) throw streamError('ERR_STREAM_PREMATURE_CLOSE', 'Premature close');
        isOver = false;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      // A stream that is over keeps the listeners: its error has been thrown here.
      if (isOver || options.destroyOnReturn !== false) this.destroy(this.isFinished ? null : aborted());
      else for (const event of events) this.off(event, onEvent);
    }
  }
}

/** What a loop that is left destroys a stream with which was not done. */
function aborted(): Error {
  const error = streamError('ABORT_ERR', 'The operation was aborted');
  error.name = 'AbortError';
  return error;
}
