// The origin of a program: a server of bytes on a socket, which reads requests and answers each as its plan says, right or wrong. What
// it saw is its view.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Activity } from '../support/stillness.ts';
import { lists, type Message, MessageReader, valuesOf } from './message-reader.ts';
import { answerParts, bytes, hasBody, interimText, type Program, TAG } from './program.ts';
import { type End, endOf } from './socket-end.ts';

/** A request as it arrived. `message.isWhole` says whether its end did. */
export interface Asked {
  readonly index: number;
  readonly message: Message;
  /** What came after a head that was answered by 101. */
  raw: string;
  /** How that ended; undefined if we had ended first. */
  rawEnd: End | undefined;
}

type Exchange = Program['exchanges'][number];

export class RawOrigin {
  readonly port: number;
  readonly #server: Server;
  readonly #connections: Set<OriginConnection>;
  readonly #stage: Stage;

  static async listen(activity: Activity): Promise<RawOrigin> {
    const connections = new Set<OriginConnection>();
    const stage: Stage = { name: '', exchanges: [], asked: [] };
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const connection = new OriginConnection(socket, stage, activity);
      connections.add(connection);
      socket.on('close', () => connections.delete(connection));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RawOrigin(server, connections, stage);
  }

  private constructor(server: Server, connections: Set<OriginConnection>, stage: Stage) {
    this.#server = server;
    this.#connections = connections;
    this.#stage = stage;
    this.port = (server.address() as AddressInfo).port;
  }

  /** From now on it is about this program. `name` tells its requests from late ones of the program before. */
  begin(name: string, exchanges: readonly Exchange[]): void {
    Object.assign(this.#stage, { name, exchanges, asked: [] });
  }

  /** All requests of the program so far. */
  get asked(): readonly Asked[] {
    return this.#stage.asked;
  }

  get openConnections(): number {
    return this.#connections.size;
  }

  /** Whether each connection is over, or waits for a next request. */
  get isIdle(): boolean {
    return [...this.#connections].every((connection) => connection.isIdle);
  }

  /** Ends whatever is open. */
  cut(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

interface Stage {
  name: string;
  exchanges: readonly Exchange[];
  asked: Asked[];
}

class OriginConnection {
  readonly #socket: Socket;
  readonly #stage: Stage;
  readonly #activity: Activity;
  readonly #reader: MessageReader;
  /** Those that are not answered yet, with their plans. */
  readonly #waiting: { readonly asked: Asked; readonly plan: Exchange; saidInterim: boolean; isAnswered: boolean }[] =
    [];
  #hasEnded = false;
  #peerHasEnded = false;
  #onRaw = (): void => {};

  constructor(socket: Socket, stage: Stage, activity: Activity) {
    this.#socket = socket;
    this.#stage = stage;
    this.#activity = activity;
    this.#reader = new MessageReader('request', {
      onHead: (message) => this.#head(message),
      onWhole: (message) => this.#body(message),
      onRaw: (text) => this.#raw(text),
    });
    socket.on('error', () => {}); // resets are what some programs are about
    socket.on('data', (chunk) => {
      activity.note();
      if (!this.#hasEnded || this.#waiting.length > 0) this.#reader.feed(chunk.toString('latin1'));
      if (this.#reader.isGarbage) this.#end();
    });
    socket.on('end', () => this.#peerEnded());
    socket.on('close', () => activity.note());
  }

  get isIdle(): boolean {
    return this.#socket.destroyed || (this.#waiting.length === 0 && this.#reader.isBetween && !this.#hasEnded);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #head(message: Message): 'framed' | 'raw' {
    const [name, index = ''] = valuesOf(message.fields, TAG.toLowerCase()).join().split('.');
    const plan = name === this.#stage.name ? this.#stage.exchanges[Number(index)] : undefined;
    if (plan === undefined) {
      this.#hasEnded = true;
      this.#socket.resetAndDestroy(); // a late one of another program
      return 'framed';
    }
    const asked: Asked = { index: Number(index), message, raw: '', rawEnd: undefined };
    this.#stage.asked.push(asked);
    this.#waiting.push({ asked, plan, saidInterim: false, isAnswered: false });
    if (this.#waiting.length === 1) this.#begin();
    return plan.answer.talk === null ? 'framed' : 'raw';
  }

  #body(message: Message): void {
    const [first] = this.#waiting;
    if (first !== undefined && first.asked.message === message) void this.#answer();
  }

  /** What it says of the first that waits before it has its body. */
  #begin(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const { asked, plan } = first;
    const { when, interim, pieces, ending, talk } = plan.answer;
    const isRightAway = when === 'head' || talk !== null || plan.request.framing === 'none' || asked.message.isWhole;
    if (!isRightAway && this.#peerHasEnded) {
      this.#end(); // the rest of it will never come
      return;
    }
    if (pieces !== 'one' || !isRightAway) {
      first.saidInterim = true;
      for (const one of interim) this.#write(interimText(one));
    }
    if (ending === 'closes unread') this.#socket.pause();
    if (isRightAway) void this.#answer();
  }

  async #answer(): Promise<void> {
    const [first] = this.#waiting;
    if (first === undefined || first.isAnswered) return;
    first.isAnswered = true;
    const { asked, plan } = first;
    const { answer, request } = plan;
    if (answer.delay > 0) await sleep(answer.delay);
    const { head, body } = answerParts(answer, hasBody(request.method, answer.status));
    let parts = [head, ...body];
    if (answer.cut !== null) {
      const all = parts.join('');
      parts = [all.slice(0, answer.cut.at % (all.length + 1))];
    }
    if (answer.pieces === 'one') {
      const interim = first.saidInterim ? [] : answer.interim.map(interimText);
      parts = [[...interim, ...parts].join('')];
    } else if (answer.pieces === 'bytes') parts = [...parts.join('').slice(0, 300), parts.join('').slice(300)];
    for (const part of parts) {
      this.#write(part);
      if (answer.pieces !== 'one') await turn();
    }
    if (answer.talk !== null) await this.#talk(asked, request.behind, answer.talk);
    this.#finish(answer.cut === null ? answer.ending : answer.cut.how);
  }

  async #talk(asked: Asked, behind: number, talk: NonNullable<Exchange['answer']['talk']>): Promise<void> {
    const expected = behind + talk.client;
    const isResetByClient = talk.ends === 'client' && talk.how === 'RST';
    await new Promise<void>((resolve) => {
      this.#onRaw = () => {
        const isOver = this.#peerHasEnded || this.#socket.destroyed;
        if (isOver || (asked.raw.length >= expected && talk.ends === 'origin' && !isResetByClient)) resolve();
      };
      this.#socket.on('close', this.#onRaw);
      this.#onRaw();
    });
    this.#write(bytes(talk.origin, 'origin'));
  }

  #finish(ending: Exchange['answer']['ending']): void {
    const [first] = this.#waiting;
    const isFirstToEnd = first?.plan.answer.talk?.ends === 'origin' || first?.plan.answer.talk === null;
    if (first?.plan.answer.talk && isFirstToEnd && first.plan.answer.talk.how === 'RST') ending = 'RST';
    if (ending === 'keep' && first !== undefined && !keepsAlive(first.asked.message)) ending = 'FIN';
    this.#waiting.shift();
    this.#activity.note();
    if (ending === 'RST' && !this.#hasEnded) this.#socket.resetAndDestroy();
    else if (ending === 'closes unread') this.#socket.destroy();
    else if (ending === 'FIN' || (this.#peerHasEnded && this.#waiting.length === 0)) this.#end();
    else this.#begin();
  }

  #raw(text: string): void {
    const last = this.#waiting.at(-1); // the one that was to switch: nothing is read as HTTP behind it
    if (last === undefined) return;
    last.asked.raw += text;
    this.#onRaw();
  }

  #peerEnded(): void {
    this.#activity.note();
    this.#peerHasEnded = true;
    const [first] = this.#waiting;
    const last = this.#waiting.at(-1);
    if (last?.plan.answer.talk) {
      if (!this.#hasEnded) last.asked.rawEnd = endOf(this.#socket);
      this.#onRaw();
      return;
    }
    const isWaitingForBody = first !== undefined && !first.isAnswered;
    if (isWaitingForBody || first === undefined) this.#end();
  }

  /** Nothing more is answered here; what still comes is read and forgotten. */
  #end(): void {
    this.#hasEnded = true;
    this.#waiting.length = 0;
    this.#socket.end();
  }

  #write(text: string): void {
    if (text !== '' && !this.#socket.destroyed && !this.#hasEnded) this.#socket.write(text, 'latin1');
  }
}

/** Whether a request leaves its connection to be used again. */
function keepsAlive({ start, fields }: Message): boolean {
  if (lists(fields, 'connection', 'close')) return false;
  return start.endsWith('HTTP/1.1') || start.startsWith('HTTP/1.1') || lists(fields, 'connection', 'keep-alive');
}
