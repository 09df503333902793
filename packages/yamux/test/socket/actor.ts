// One end of a connection, which takes its steps and writes down what it sees. It does not know what carries it.

import type { Carrier, Connection } from './carrier.ts';
import type { Action, EndName, Heard } from './program.ts';
import { beat } from './pulse.ts';
import { Reader } from './reader.ts';
import type { Sight } from './sight.ts';
import { Writer } from './writer.ts';

const HEARD: readonly Heard[] = ['end', 'finish', 'close', 'error', 'timeout'];
const SIX_MINUTES = 360_000;
/** ms. */
const SHORT_IDLE = 20;

export class Actor {
  readonly name: EndName;
  readonly connection: Connection;
  readonly writer: Writer;
  readonly #reader: Reader;
  readonly #carrier: Carrier;
  readonly #counts = new Map<string, number>();
  /** What waits until the round is at rest. */
  readonly #pending: Array<() => Promise<void>> = [];
  isDead = false;

  constructor(name: EndName, carrier: Carrier) {
    this.name = name;
    this.connection = carrier.ends[name];
    this.writer = new Writer(this.connection);
    this.#reader = new Reader(this.connection, this.writer, (what) => this.#count(what));
    this.#carrier = carrier;
    for (const event of HEARD) this.connection.on(event, () => this.#count(event));
  }

  #count(what: string): void {
    beat();
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  heard(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  take(action: Action): void {
    try {
      this.#take(action);
    } catch {
      this.#count(`${action.do} threw`);
    }
  }

  #take(action: Action): void {
    if (this.#reader.take(action)) return;
    const { connection } = this;
    switch (action.do) {
      case 'write':
        this.writer.write(action.size, action.as);
        return;
      case 'reuse':
        this.writer.reuse(action.block, action.blocks);
        return;
      case 'fill':
        this.writer.fill();
        return;
      case 'cork':
        connection.cork();
        return;
      case 'uncork':
        connection.uncork();
        return;
      case 'end':
        this.writer.end(action.size);
        return;
      case 'destroySoon':
        connection.destroySoon();
        return;
      case 'reset':
        this.#carrier.reset(this.name);
        return;
      case 'destroy':
        connection.destroy(action.error ? new Error('enough') : undefined);
        return;
      case 'die':
        this.isDead = true;
        this.#carrier.die(this.name);
        return;
      case 'leave':
        this.#carrier.leave(this.name);
        return;
      case 'think':
        this.#pending.push(() => this.#carrier.think(SIX_MINUTES));
        return;
      case 'setTimeout':
        connection.setTimeout(action.ms as number);
        return;
      case 'idle':
        this.#pending.push(() => this.#carrier.idle(this.name, SHORT_IDLE));
        return;
      case 'once':
        this.#react(action.event, action.act);
        return;
      default:
    }
  }

  /** What this end does when the round is at rest. */
  async afterRound(): Promise<void> {
    for (const what of this.#pending.splice(0)) await what();
  }

  #react(event: Heard, then: 'throw' | 'end' | 'destroy' | 'write' | 'resume' | 'read'): void {
    const { connection } = this;
    connection.once(event, () => {
      this.#count(`reacts to ${event}`);
      if (then === 'throw') this.writer.throw();
      else if (then === 'end') connection.end();
      else if (then === 'destroy') connection.destroy();
      else if (then === 'write') connection.write(this.writer.next(100));
      else if (then === 'read') this.#reader.readSome();
      else connection.resume();
    });
  }

  /** What can be told of this end when everything is at rest. */
  look(): Sight {
    const { connection } = this;
    const reader = this.#reader;
    return {
      reading: {
        units: reader.units,
        content: reader.content,
        blocks: reader.blocks,
        end: this.heard('end'),
        'loop done': this.heard('loop done'),
        'loop failed': this.heard('loop failed'),
        'reacts to data': this.heard('reacts to data'),
        'reacts to end': this.heard('reacts to end'),
        readable: connection.readable,
        readableEnded: connection.readableEnded,
        readableFlowing: connection.destroyed || connection.readableEnded ? null : connection.readableFlowing,
        readableLength: reader.readableLength,
      },
      writing: {
        finish: this.heard('finish'),
        callbacks: `${this.writer.answered} of ${this.writer.asked}`,
        filling: this.writer.filling,
        'reacts to finish': this.heard('reacts to finish'),
        writable: connection.writable,
        writableEnded: connection.writableEnded,
        writableFinished: connection.writableFinished,
        writableNeedDrain: connection.writableNeedDrain && connection.writableCorked === 0,
      },
      whole: {
        error: this.heard('error'),
        close: this.heard('close'),
        'reacts to close': this.heard('reacts to close'),
        'reacts to error': this.heard('reacts to error'),
        'pipeline done': this.heard('pipeline done'),
        'pipeline failed': this.heard('pipeline failed'),
        destroyed: connection.destroyed,
        errored: connection.errored !== null,
        timeouts: Math.min(1, this.heard('timeout')),
        // What was refused a socket keeps all the same. And `idle` takes back what it set, unless its 'timeout' destroyed the connection first.
        timeout: connection.destroyed || this.heard('setTimeout threw') > 0 ? 0 : (connection.timeout ?? 0),
        'steps that threw': [...this.#counts].filter(([what]) => what.endsWith(' threw')).join(' '),
      },
      always: {
        'what is left at the close': reader.whatIsLeft,
      },
      facts: {
        units: reader.units,
        taken: reader.taken,
        sent: this.writer.sent,
        hasFilled: this.writer.hasFilled,
        wroteAll: this.writer.filling === 'all written',
        isConsuming: reader.isConsuming,
        isEchoing: reader.isEchoing,
        echoesAfterOwn: reader.echoesAfterOwn,
        leavesARest: reader.leavesARest,
        isDead: this.isDead,
        isBroken: connection.destroyed && !(connection.readableEnded && connection.writableFinished),
        hasFinished: connection.writableFinished,
        hasEnded: this.heard('end') > 0,
        corrupt: reader.isCorrupt,
        isClosed: this.heard('close') > 0,
        unanswered: this.writer.asked - this.writer.answered,
      },
    };
  }

  /** When the program is over: whatever is left is read. */
  readAll(): void {
    this.connection.uncork();
    this.#reader.readAll();
  }

  /** Then it says that it has nothing more to say. */
  end(): void {
    const { destroyed, writableEnded } = this.connection;
    // An echo ends when its input does: sooner, it would lose what still waits.
    if (!destroyed && !writableEnded && !this.#reader.isEchoing) this.writer.end(0);
  }
}
