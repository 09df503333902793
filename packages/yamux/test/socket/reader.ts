// The reading half of an end: every way to take what comes, and what came out by each.

import { Duplex, pipeline, Transform, Writable } from 'node:stream';
import type { Connection } from './carrier.ts';
import type { Action, Encoding, Size } from './program.ts';
import { beat } from './pulse.ts';
import { type Chunk, LEAST_HIGH_WATER_MARK, LEAVES_A_REST, Reading, readFrom } from './reading.ts';
import type { Writer } from './writer.ts';

/** The buffer of a Readable, where libraries look for what is left. */
interface WithReadableState {
  readonly _readableState: { readonly length: number };
}

type Count = (what: string) => void;

export class Reader {
  readonly #connection: Connection;
  /** What an echo writes counts there. */
  readonly #writer: Writer;
  readonly #count: Count;
  /** What came out by each way of reading that was begun; what read() gave, whoever called it, is the first. */
  readonly #records: Reading[] = [new Reading()];
  /** Takes 'data': it sees what others read, too, so it alone counts. */
  #flowing: Reading | undefined;
  #stopFlowing: (() => void) | undefined;
  /** Calls read(). One at a time: two would share by chance. */
  #isPulling = false;
  #stopPulling: (() => void) | undefined;
  #hasPutBack = false;
  /** Of what the Readable says that it has when it closes, what could not be read. */
  whatIsLeft = '';
  /** Bytes that came out of the connection. */
  taken = 0;
  /** It takes all that comes, as it comes. */
  isConsuming = false;
  /** What comes is written back, so that reading goes on only as fast as writing. */
  isEchoing = false;
  /** The echo began after this end had written bytes of its own. */
  echoesAfterOwn = false;

  constructor(connection: Connection, writer: Writer, count: Count) {
    this.#connection = connection;
    this.#writer = writer;
    this.#count = count;
    connection.on('close', () => this.#readWhatIsLeft());
  }

  /** False if `action` is none of reading. */
  take(action: Action): boolean {
    const connection = this.#connection;
    switch (action.do) {
      case 'data':
        this.#flow();
        return true;
      case 'readable':
        this.#readWhenReadable(action.size);
        return true;
      case 'read':
        this.#read(action.size);
        return true;
      case 'exactly':
        this.#readOnce(action.size);
        return true;
      case 'unshift':
        this.#hasPutBack = true;
        for (const record of this.#records) record.isRaw = false;
        connection.unshift(Buffer.alloc(action.size, 'u'));
        return true;
      case 'encoding':
        this.#decode(action.encoding);
        return true;
      case 'pause':
        this.isConsuming = false;
        connection.pause();
        return true;
      case 'resume':
        connection.resume();
        return true;
      case 'stop reading':
        this.#stopFlowing?.();
        this.#stopPulling?.();
        this.isConsuming = false;
        return true;
      case 'pipe':
      case 'pipeline':
        this.#pipe(action.do, action.to);
        return true;
      case 'for await':
        this.#loop(() => connection);
        return true;
      case 'iterator':
        this.#loop(() => connection.iterator({ destroyOnReturn: false }));
        return true;
      case 'toWeb':
        this.#loop(() => Duplex.toWeb(connection).readable);
        return true;
      default:
        return false;
    }
  }

  /** One read() of what is there. */
  readSome(): void {
    this.#read('nothing');
  }

  /** Whatever is left is read. */
  readAll(): void {
    if (!this.#isPulling && this.#flowing === undefined) this.#flow();
    this.#connection.resume();
  }

  /** Bytes or characters, each as often as somebody saw it. */
  get units(): string {
    return this.#records.map(({ units }) => units).join(' ');
  }

  get content(): string {
    return this.#records.map(({ content }) => content).join(' ');
  }

  get blocks(): string {
    return this.#records[0]?.blocks ?? '';
  }

  /** As much of Node's buffer as ends of both kinds have. */
  get readableLength(): number {
    return Math.min(this.#connection.readableLength, LEAST_HIGH_WATER_MARK);
  }

  get leavesARest(): boolean {
    const encoding = this.#connection.readableEncoding;
    return encoding !== null && LEAVES_A_REST.has(encoding as Encoding);
  }

  get isCorrupt(): boolean {
    return this.#records.some(({ isCorrupt }) => isCorrupt);
  }

  /** As `ws` does: what the Readable says that it has, can be read. */
  #readWhatIsLeft(): void {
    const { length } = (this.#connection as unknown as WithReadableState)._readableState;
    if (length === 0) return;
    const chunk = this.#connection.read(length) as Chunk | null;
    this.whatIsLeft = chunk?.length === length ? '' : `read(${length}) gave ${chunk?.length ?? null}`;
  }

  #took(chunk: Chunk, record: Reading): void {
    beat();
    const encoding = this.#connection.readableEncoding ?? 'utf8';
    const bytes = typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length;
    record.add(chunk, bytes);
    if (this.#flowing === undefined || this.#flowing === record) this.taken += bytes;
  }

  /** Once, and before much has come: what is decoded already, and what not yet, would depend on time. */
  #decode(encoding: Encoding): void {
    const { readableEncoding, readableLength } = this.#connection;
    if (readableEncoding === null && this.taken === 0 && readableLength < LEAST_HIGH_WATER_MARK) {
      this.#connection.setEncoding(encoding);
    }
  }

  #flow(): void {
    if (this.#stopFlowing) return;
    const record = this.#newRecord();
    const listener = (chunk: Chunk): void => this.#took(chunk, record);
    // Behind a pause() a 'data' listener waits for resume().
    this.isConsuming = !this.#isPulling && !this.#connection.isPaused();
    this.#flowing ??= record;
    this.#connection.on('data', listener);
    this.#stopFlowing = () => {
      this.#connection.off('data', listener);
      this.#stopFlowing = undefined;
      if (this.#flowing === record) this.#flowing = undefined;
    };
  }

  #newRecord(): Reading {
    const record = new Reading();
    record.isRaw = this.taken === 0 && !this.#hasPutBack;
    this.#records.push(record);
    return record;
  }

  #pull(listener: () => void): void {
    this.#isPulling = true;
    this.#connection.on('readable', listener);
    this.#stopPulling = () => {
      this.#connection.off('readable', listener);
      this.#stopPulling = undefined;
      this.#isPulling = false;
    };
  }

  #readWhenReadable(size: Size): void {
    if (this.#isPulling) return;
    this.isConsuming = typeof size !== 'number';
    this.#pull(() => {
      while (this.#read(size));
    });
  }

  #read(size: Size): boolean {
    // "All there is" is what Node's own buffer holds, which may hold more or less above the highWaterMark; and while it flows, its first chunk.
    if (typeof size !== 'number' && !this.#isPulling && !this.#isWholeInBuffer) return false;
    const chunk = readFrom(this.#connection, size);
    const [record] = this.#records;
    if (chunk === null || record === undefined) return false;
    this.#took(chunk, record);
    if (typeof size === 'number') record.noteBlock(chunk.length);
    return true;
  }

  get #isWholeInBuffer(): boolean {
    const { readableFlowing, readableLength } = this.#connection;
    return readableFlowing !== true && readableLength < LEAST_HIGH_WATER_MARK;
  }

  #readOnce(size: number): void {
    if (this.#isPulling) return;
    // More than both kinds have in Node's buffer may be there at once over streams: it is waited for in any case.
    if (size <= LEAST_HIGH_WATER_MARK && this.#read(size)) return;
    this.isConsuming = false;
    this.#pull(() => {
      if (this.#read(size)) this.#stopPulling?.();
    });
  }

  #pipe(how: 'pipe' | 'pipeline', to: 'sink' | 'slow sink' | 'self'): void {
    const connection = this.#connection;
    const record = this.#newRecord();
    this.#flowing ??= record;
    // Beside a 'readable' listener nothing flows.
    this.isConsuming = !this.#isPulling;
    if (to === 'self') {
      this.isEchoing = true;
      this.echoesAfterOwn = this.#writer.sent > 0;
      const through = new Transform({
        transform: (chunk: Buffer, _encoding, callback) => {
          this.#took(chunk, record);
          this.#writer.sent += chunk.length;
          callback(null, chunk);
        },
      });
      if (how === 'pipe') connection.pipe(through).pipe(connection);
      else
        pipeline(connection, through, connection, (error) => this.#count(error ? 'pipeline failed' : 'pipeline done'));
      return;
    }
    const sink = new Writable({
      decodeStrings: false,
      highWaterMark: 100,
      write: (chunk: Chunk, _encoding, callback) => {
        this.#took(chunk, record);
        if (to === 'sink') callback();
        else setImmediate(callback);
      },
    });
    if (how === 'pipe') connection.pipe(sink);
    else pipeline(connection, sink, (error) => this.#count(error ? 'pipeline failed' : 'pipeline done'));
  }

  #loop(open: () => AsyncIterable<Chunk>): void {
    if (this.#isPulling) return;
    this.#isPulling = true;
    this.isConsuming = true;
    const record = this.#newRecord();
    const source = open();
    const all = async (): Promise<void> => {
      for await (const chunk of source) this.#took(chunk, record);
    };
    all().then(
      () => this.#count('loop done'),
      () => this.#count('loop failed'),
    );
  }
}
