// Reads one direction of an HTTP/1 connection as it comes, for both ends of the property: heads, bodies by their framing, trailers. Takes
// every start line and field as they are; only where a message ends matters here. Text is latin1: byte for byte.

export type Field = readonly [name: string, value: string];

export interface Message {
  /** The first line. */
  readonly start: string;
  readonly fields: readonly Field[];
  body: string;
  trailers: readonly Field[];
  /** Its end has come, as its framing says. */
  isWhole: boolean;
}

/** How to go on after a head: with a body as its fields say, without any, or with bytes that are no HTTP any more. */
export type Continuation = 'framed' | 'bodyless' | 'raw';

export interface ReaderEvents {
  onHead(message: Message): Continuation;
  onWhole(message: Message): void;
  /** Bytes after a head that was 'raw'. */
  onRaw(text: string): void;
}

type State = 'head' | 'sized' | 'size line' | 'chunk' | 'chunk end' | 'trailers' | 'until the end' | 'raw' | 'garbage';

export class MessageReader {
  readonly #kind: 'request' | 'response';
  readonly #events: ReaderEvents;
  #state: State = 'head';
  #held = '';
  #left = 0;
  #message: Message | undefined;
  #pieces: string[] = [];

  constructor(kind: 'request' | 'response', events: ReaderEvents) {
    this.#kind = kind;
    this.#events = events;
  }

  /** What came is no HTTP. */
  get isGarbage(): boolean {
    return this.#state === 'garbage';
  }

  /** In no message, and with no byte of a next one. */
  get isBetween(): boolean {
    return this.#state === 'head' && this.#held === '';
  }

  /** Whether some of a head is here that has not ended. */
  get isInHead(): boolean {
    return this.#state === 'head' && this.#held !== '';
  }

  /** The message whose body is coming. */
  get open(): Message | undefined {
    if (this.#message !== undefined) this.#message.body = this.#pieces.join('');
    return this.#message;
  }

  feed(text: string): void {
    this.#held += text;
    while (this.#step());
  }

  /** The connection ended, with FIN. With RST nothing becomes whole: do not call this. */
  end(): void {
    if (this.#state === 'until the end') this.#whole();
  }

  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#head();
      case 'sized':
      case 'chunk': {
        if (this.#left > 0 && this.#held === '') return false;
        this.#take(this.#left);
        if (this.#left > 0) return false;
        if (this.#state === 'sized') this.#whole();
        else this.#state = 'chunk end';
        return true;
      }
      case 'until the end':
        this.#take(this.#held.length);
        return false;
      case 'size line': {
        const line = this.#line();
        if (line === undefined) return false;
        const [, size] = /^([\da-f]+) *(?:;.*)?$/i.exec(line) ?? [];
        if (size === undefined) return this.#giveUp();
        this.#left = Number.parseInt(size, 16);
        this.#state = this.#left === 0 ? 'trailers' : 'chunk';
        return true;
      }
      case 'chunk end': {
        const line = this.#line();
        if (line === undefined) return false;
        if (line !== '') return this.#giveUp();
        this.#state = 'size line';
        return true;
      }
      case 'trailers': {
        const end = this.#held.startsWith('\r\n') ? 0 : this.#held.indexOf('\r\n\r\n');
        if (end === -1) return false;
        const lines = this.#held.slice(0, end);
        this.#held = this.#held.slice(end === 0 ? 2 : end + 4);
        if (this.#message !== undefined) this.#message.trailers = lines === '' ? [] : lines.split('\r\n').map(fieldOf);
        this.#whole();
        return true;
      }
      case 'raw': {
        const text = this.#held;
        this.#held = '';
        if (text !== '') this.#events.onRaw(text);
        return false;
      }
      default:
        return false;
    }
  }

  #head(): boolean {
    const isHttp = this.#kind === 'request' ? true : 'HTTP/'.startsWith(this.#held.slice(0, 5)) || this.#held === '';
    if (!isHttp) return this.#giveUp();
    const end = this.#held.indexOf('\r\n\r\n');
    if (end === -1) return false;
    const [start = '', ...lines] = this.#held.slice(0, end).split('\r\n');
    this.#held = this.#held.slice(end + 4);
    if (!/ HTTP\/1\.[01]$|^HTTP\/1\.[01] \d{3}/.test(start)) return this.#giveUp();
    const message: Message = { start, fields: lines.map(fieldOf), body: '', trailers: [], isWhole: false };
    this.#message = message;
    this.#pieces = [];
    const next = this.#events.onHead(message);
    if (next === 'raw') {
      this.#message = undefined;
      this.#state = 'raw';
    } else if (next === 'bodyless') this.#whole();
    else this.#frame(message);
    return true;
  }

  #frame({ fields }: Message): void {
    const codings = valuesOf(fields, 'transfer-encoding').join(',').toLowerCase();
    const [length] = valuesOf(fields, 'content-length');
    if (/(^|[, ])chunked$/.test(codings)) this.#state = 'size line';
    else if (length !== undefined && codings === '') {
      this.#left = Number(length);
      this.#state = 'sized';
      if (this.#left === 0) this.#whole();
    } else if (this.#kind === 'request') this.#whole();
    else this.#state = 'until the end';
  }

  #whole(): void {
    const message = this.open;
    this.#message = undefined;
    this.#state = 'head';
    if (message === undefined) return;
    message.isWhole = true;
    this.#events.onWhole(message);
  }

  #take(count: number): void {
    const piece = this.#held.slice(0, count);
    this.#held = this.#held.slice(piece.length);
    this.#left -= piece.length;
    if (piece !== '') this.#pieces.push(piece);
  }

  #line(): string | undefined {
    const end = this.#held.indexOf('\r\n');
    if (end === -1) return undefined;
    const line = this.#held.slice(0, end);
    this.#held = this.#held.slice(end + 2);
    return line;
  }

  #giveUp(): false {
    this.#state = 'garbage';
    return false;
  }
}

function fieldOf(line: string): Field {
  const colon = line.indexOf(':');
  if (colon === -1) return [line, ''];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
}

/** All values of that name (lower case), in order. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  return fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
}

/** Whether a field with a list names it (lower case). */
export function lists(fields: readonly Field[], name: string, token: string): boolean {
  return valuesOf(fields, name).some((value) =>
    value
      .toLowerCase()
      .split(',')
      .some((one) => one.trim() === token),
  );
}
