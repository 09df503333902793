// The client of a program: bytes on a socket. It sends its requests as planned, reads the answers, and, where the server ends the
// connection between two answers, asks for the rest on a next one, as clients do. What it saw is its view.
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Activity } from '../support/stillness.ts';
import { type Continuation, lists, type Message, MessageReader } from './message-reader.ts';
import { bytes, hasBody, type Program, requestParts } from './program.ts';
import { BYTE_BY_BYTE, type End, endOf } from './socket-end.ts';

export interface Answered {
  readonly interim: Message[];
  /** The final answer; undefined where the connection ended before its head did. */
  final: Message | undefined;
  /** `left`: the client went first. */
  ending: 'whole' | 'cut' | 'left';
  /** On which connection it came. */
  readonly connection: number;
  /** After 101: what came, and how that ended. */
  raw: string;
  rawEnd: End | undefined;
}

export interface ClientView {
  /** By the number of the request; undefined for those that were never begun to be answered, nor asked again. */
  readonly answers: (Answered | undefined)[];
  /** How often each request was sent, or some of it. */
  readonly sent: number[];
  /** The server said that it would end the connection after an answer, and did not. */
  lingered: boolean;
}

export interface ClientOptions {
  readonly port: number;
  readonly program: Program;
  /** Tells this run from others at the origin. */
  readonly name: string;
  readonly activity: Activity;
}

export class RawClient {
  readonly view: ClientView;
  readonly #options: ClientOptions;
  #connection: ClientConnection | undefined;
  #isCut = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    const none = options.program.exchanges.map(() => undefined);
    this.view = { answers: none, sent: options.program.exchanges.map(() => 0), lingered: false };
  }

  /** Resolves when all is answered, or cannot be any more. */
  async run(): Promise<void> {
    const { program } = this.#options;
    let next = 0;
    for (let connection = 0; next < program.exchanges.length && !this.#isCut; connection += 1) {
      this.#connection = new ClientConnection(this.#options, this.view, next, connection);
      const reached = await this.#connection.run();
      if (program.leaving !== null) return;
      if (reached === next)
        next += 1; // not answered, or cut: nobody asks for that again
      else next = this.view.answers[reached] === undefined ? reached : reached + 1;
    }
  }

  /** Where it hangs. */
  cut(): void {
    this.#isCut = true;
    this.#connection?.cut();
  }

  describe(): string {
    return this.#connection?.describe() ?? 'not begun';
  }
}

/** Bytes to send, and what must have come before. */
interface Step {
  readonly text: string;
  readonly request: number;
  readonly isReady: () => boolean;
}

class ClientConnection {
  readonly #options: ClientOptions;
  readonly #view: ClientView;
  readonly #connection: number;
  readonly #socket: Socket;
  readonly #reader: MessageReader;
  /** The request whose answer comes. */
  #next: number;
  #isOver = false;
  #hasLeft = false;
  #hasEnded = false;
  /** The server has said that it ends the connection, or ends a body so. */
  #closing = false;
  #waiting: (() => void)[] = [];
  #sentThrough = -1;
  /** Those of which all bytes are to be sent here. */
  #toBeSentWhole = 0;
  #sent: Promise<void> = Promise.resolve();

  constructor(options: ClientOptions, view: ClientView, first: number, connection: number) {
    this.#options = options;
    this.#view = view;
    this.#next = first;
    this.#connection = connection;
    this.#reader = new MessageReader('response', {
      onHead: (message) => this.#head(message),
      onWhole: (message) => this.#whole(message),
      onRaw: (text) => {
        const answer = this.#answer();
        answer.raw += text;
      },
    });
    const { program, port, activity } = options;
    const endsFirst = program.leaving?.how === 'half' || this.#talks.some((talk) => talk?.ends === 'client');
    const onData = (chunk: Buffer): boolean => {
      activity.note();
      this.#reader.feed(chunk.toString('latin1'));
      if (this.#reader.isGarbage) this.#over('garbage');
      this.#changed();
      return true;
    };
    const buffer = Buffer.alloc(BYTE_BY_BYTE);
    const byteByByte = endsFirst
      ? { onread: { buffer, callback: (_: number, read: Uint8Array) => onData(Buffer.from(read)) } }
      : {};
    this.#socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true, ...byteByByte });
    if (!endsFirst) this.#socket.on('data', onData);
    this.#socket.on('end', () => {
      activity.note();
      this.#over(endsFirst && this.#hasEnded ? 'FIN' : endOf(this.#socket));
    });
    this.#socket.on('error', () => this.#over('RST'));
    this.#socket.on('close', () => {
      activity.note();
      this.#over('RST');
    });
  }

  get #talks(): (Program['exchanges'][number]['answer']['talk'] | undefined)[] {
    return this.#options.program.exchanges.map(({ answer }) => answer.talk);
  }

  /** Resolves with the number of the request that was to be answered next. */
  async run(): Promise<number> {
    const first = this.#next;
    const { leaving, exchanges } = this.#options.program;
    this.#sent = this.#send(first);
    await this.#sent;
    const count = exchanges.length;
    if (leaving === null || leaving.how === 'half') {
      if (leaving !== null && !this.#isOver) this.#end();
      await this.#until(() => this.#isOver || (this.#next >= count && !this.#isTalking));
      if (this.#closing && !this.#isOver) {
        this.#view.lingered = true; // until the end comes
        await this.#until(() => this.#isOver);
        this.#view.lingered = false;
      }
    } else {
      const answered = (): number => this.#view.answers.filter((one) => one?.ending === 'whole').length;
      await this.#until(() => this.#isOver || answered() >= Math.min(leaving.after, this.#toBeSentWhole));
      this.#hasLeft = true;
      if (leaving.how === 'reset' && !this.#isOver) this.#socket.resetAndDestroy();
    }
    this.#socket.destroy();
    return this.#next;
  }

  cut(): void {
    this.#hasLeft = true;
    this.#socket.destroy();
    this.#over('RST');
  }

  describe(): string {
    return `request ${this.#next} on connection ${this.#connection}, sent through ${this.#sentThrough}, ${this.#isOver ? 'over' : 'open'}`;
  }

  async #send(first: number): Promise<void> {
    const { program } = this.#options;
    let steps = this.#steps(first);
    this.#toBeSentWhole = program.exchanges.length - first;
    if (program.leaving !== null && program.leaving.at !== null) {
      const total = steps.reduce((sum, { text }) => sum + text.length, 0);
      let left = program.leaving.at % (total + 1);
      steps = steps.flatMap((step) => {
        const text = step.text.slice(0, left);
        left -= text.length;
        if (text !== step.text) this.#toBeSentWhole = Math.min(this.#toBeSentWhole, step.request - first);
        return text === '' ? [] : [{ ...step, text }];
      });
    }
    for (let at = 0; at < steps.length; ) {
      const step = steps[at] as Step;
      await this.#until(() => this.#isOver || step.isReady());
      if (this.#isOver || this.#isUnaskedBody(step)) return;
      let text = step.text;
      this.#sending(step.request);
      at += 1;
      while (program.pieces === 'one' && steps[at]?.isReady()) {
        this.#sending((steps[at] as Step).request);
        text += (steps[at] as Step).text;
        at += 1;
      }
      const pieces = program.pieces === 'bytes' ? [...text.slice(0, 300), text.slice(300)] : [text];
      for (const piece of pieces) {
        if (this.#mayNotWrite) return;
        if (piece !== '') this.#socket.write(piece, 'latin1');
        if (program.pieces !== 'one') await turn();
      }
    }
  }

  /** It changes while it is being waited. */
  get #mayNotWrite(): boolean {
    return this.#isOver;
  }

  #steps(first: number): Step[] {
    const { exchanges } = this.#options.program;
    return exchanges.slice(first).flatMap(({ request }, offset) => {
      const index = first + offset;
      const { head, body } = requestParts(request, `${this.#options.name}.${index}`, `/${index}`);
      // A request that waits for more answers than there can be before it would wait for ever.
      const isDue = (): boolean => request.after === 0 || this.#next >= Math.min(request.after, index);
      const mayHaveBody = (): boolean =>
        request.expect !== 'waits' ||
        this.#next > index ||
        (this.#view.answers[index]?.interim.some(({ start }) => start.startsWith('HTTP/1.1 100')) ?? false);
      return [
        { text: head, request: index, isReady: isDue },
        ...body.map((text) => ({ text, request: index, isReady: mayHaveBody })),
      ];
    });
  }

  /** The final answer came instead of 100: the body is not sent, and the connection is of no use any more. */
  #isUnaskedBody({ request }: Step): boolean {
    const plan = this.#options.program.exchanges[request]?.request;
    const answer = this.#view.answers[request];
    const isUnasked =
      plan?.expect === 'waits' &&
      this.#sentThrough === request &&
      this.#next > request &&
      !(answer?.interim.some(({ start }) => start.startsWith('HTTP/1.1 100')) ?? false);
    if (isUnasked) this.#over('left');
    return isUnasked;
  }

  #sending(request: number): void {
    if (request === this.#sentThrough) return;
    this.#sentThrough = request;
    this.#view.sent[request] = (this.#view.sent[request] ?? 0) + 1;
  }

  #answer(): Answered {
    const { answers } = this.#view;
    let answer = answers[this.#next];
    if (answer === undefined) {
      const connection = this.#connection;
      answer = { interim: [], final: undefined, ending: 'cut', connection, raw: '', rawEnd: undefined };
      answers[this.#next] = answer;
    }
    return answer;
  }

  #head(message: Message): Continuation {
    const plan = this.#options.program.exchanges[this.#next];
    if (plan === undefined) {
      this.#over('garbage'); // an answer that nobody asked for
      return 'bodyless';
    }
    const answer = this.#answer();
    const status = statusOf(message);
    if (status === '101') {
      answer.final = message;
      const talk = plan.answer.talk;
      if (talk !== null) void this.#talk(talk);
      else this.#over('left'); // nobody asked for that
      return 'raw';
    }
    if (status.startsWith('1')) {
      answer.interim.push(message);
      return 'bodyless';
    }
    answer.final = message;
    return hasBody(plan.request.method, status) ? 'framed' : 'bodyless';
  }

  #whole(message: Message): void {
    const answer = this.#answer();
    if (message !== answer.final) return; // an interim one
    answer.ending = 'whole';
    this.#next += 1;
    const plan = this.#options.program.exchanges[this.#next - 1];
    const isOld = plan?.request.version === '1.0';
    const saysClose = lists(message.fields, 'connection', 'close');
    this.#closing ||= saysClose || (isOld && !lists(message.fields, 'connection', 'keep-alive'));
    if (plan?.request.method === 'CONNECT') this.#over('left');
  }

  get #isTalking(): boolean {
    const answer = this.#view.answers[this.#next];
    return answer?.final !== undefined && statusOf(answer.final) === '101' && !this.#isOver;
  }

  async #talk({
    client,
    origin,
    ends,
    how,
  }: NonNullable<Program['exchanges'][number]['answer']['talk']>): Promise<void> {
    await this.#sent; // the answer may be faster than what stands behind the request
    await turn(); // what it says is not in the packet of the request
    if (this.#isOver) return;
    this.#socket.write(bytes(client, 'client'), 'latin1');
    if (ends !== 'client') return;
    if (how === 'FIN') this.#end();
    else {
      this.#hasLeft = true;
      this.#socket.resetAndDestroy();
    }
    void origin;
  }

  #end(): void {
    this.#hasEnded = true;
    this.#socket.end();
  }

  #over(how: End | 'garbage' | 'left'): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#hasLeft) how = 'left';
    if (how === 'FIN') this.#reader.end();
    const answer = this.#view.answers[this.#next];
    if (answer !== undefined && answer.ending === 'cut') {
      if (answer.final !== undefined && statusOf(answer.final) === '101') {
        answer.ending = 'whole';
        answer.rawEnd = how === 'FIN' || how === 'RST' ? how : undefined;
        this.#next += 1;
      } else {
        void this.#reader.open; // puts its body together
        if (how === 'left') answer.ending = 'left';
      }
    }
    if (how !== 'left' || !this.#hasLeft) this.#socket.end();
    this.#changed();
  }

  #until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting = this.#waiting.filter((one) => one !== look);
        resolve();
      };
      this.#waiting.push(look);
    });
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}

export function statusOf({ start }: Message): string {
  return start.slice(9, 12);
}
