// Carries a program out: our half here, Go's in its process, and brings back what both tell of it.
import type { YamuxSession, YamuxStream } from '../../src/index.ts';
import type { Connect } from './connection.ts';
import type { GoEnding, GoPeer } from './go-peer.ts';
import { OurStream, type OurStreamReport } from './our-stream.ts';
import { forGo, type GoReport, type Program } from './program.ts';

/** ms in which nothing at all moves, after which a program is held to hang. Nothing waits for it but a failure. */
const PATIENCE = 10_000;

export interface OurReport {
  readonly streams: readonly OurStreamReport[];
  /** The codes of the errors of opens, steps and round trips. */
  readonly failures: readonly string[];
  /** Streams that the session still has when all is done. */
  readonly live: number;
  /** The code of the error that the session ended with; null after a clean end. */
  readonly errored: string | null;
}

export interface Result {
  readonly us: OurReport;
  readonly go: GoReport;
  readonly goEnding: GoEnding;
}

export async function runProgram(peer: GoPeer, program: Program, connect: Connect): Promise<Result> {
  const options = { ...program.options, keepAliveInterval: 0 };
  const { ours, go } = await connect(program.role, peer, options, program.config);
  const run = new Run(ours, program);
  const patience = setInterval(() => run.giveUpUnlessMoved(), PATIENCE);
  try {
    const closed = new Promise<void>((resolve) => ours.once('close', resolve));
    const goReport = go.program(forGo(program));
    goReport.catch(() => {}); // it is awaited below; a process that dies before that fails the first call that needs it
    run.start();
    await run.opened();
    // Whatever we have sent is there before this pong, and the other way round below.
    await run.roundTrip();
    await go.finish();
    const told = await goReport;
    await run.roundTrip();
    await run.settled();
    const live = ours.streamCount;
    // A step that closes waits for what is over by now, and needs nobody else.
    if (!run.isClosing) await run.stepped;
    if (ours.state !== 'closed' && !run.isClosing) await (program.closer === 'us' ? ours.close() : go.close());
    const goEnding = await go.ending();
    await closed;
    await run.stepped;
    if (run.hung) throw new Error(run.hung);
    const errored = (ours.errored as { code?: string } | null)?.code ?? null;
    return { us: { streams: await run.settled(), failures: run.failures, live, errored }, go: told, goEnding };
  } finally {
    clearInterval(patience);
    ours.destroy();
  }
}

class Run {
  readonly failures: string[] = [];
  /** What was still going on when patience was over. */
  hung: string | undefined;
  stepped: Promise<void> = Promise.resolve();
  readonly #session: YamuxSession;
  readonly #program: Program;
  readonly #streams = new Map<number, OurStream>();
  readonly #unsettled = new Map<number, YamuxStream>();
  #opening: Promise<void> = Promise.resolve();
  #movedBefore = '';

  constructor(session: YamuxSession, program: Program) {
    this.#session = session;
    this.#program = program;
    session.on('stream', (stream) => this.#add(stream));
    session.on('error', () => {}); // read off `errored` at the end
  }

  start(): void {
    this.#opening = this.#open();
    this.stepped = this.#step();
  }

  get isClosing(): boolean {
    return this.#program.ourSteps.includes('close');
  }

  /** All that we open is open, or will never be, and has come to its end. */
  async opened(): Promise<void> {
    await this.#opening;
    const ids = this.#program.streams.filter(({ opener }) => opener === 'us').map(({ id }) => id);
    await Promise.all(ids.map((id) => this.#streams.get(id)?.report));
  }

  /** The reports of all streams that are here; nothing is left to be done for them. */
  settled(): Promise<OurStreamReport[]> {
    return Promise.all([...this.#streams.values()].map(({ report }) => report));
  }

  async roundTrip(): Promise<void> {
    await this.#try(() => this.#session.ping());
  }

  /** However slow the machine is: a program hangs if nothing has moved since this was last asked. */
  giveUpUnlessMoved(): void {
    const moved = JSON.stringify([this.#session.stats(), [...this.#unsettled.keys()]]);
    if (moved === this.#movedBefore) this.#giveUp();
    this.#movedBefore = moved;
  }

  #giveUp(): void {
    const streams = [...this.#unsettled.values()].map((stream) => JSON.stringify(describe(stream)));
    const session = `${this.#session.state}, ${this.#session.streamCount} streams`;
    this.hung = `The program hangs; our session: ${session}; unsettled: ${streams.join(', ') || 'none'}`;
    this.#session.destroy(new Error(this.hung));
  }

  #add(stream: YamuxStream): void {
    const plan = this.#program.streams.find(({ id }) => id === stream.id);
    if (plan === undefined) throw new Error(`stream ${stream.id} is in no plan`);
    const added = new OurStream(stream, plan.us, () => this.roundTrip());
    this.#streams.set(stream.id, added);
    this.#unsettled.set(stream.id, stream);
    void added.report.then(() => this.#unsettled.delete(stream.id));
  }

  async #open(): Promise<void> {
    for (const { opener, roundTrips } of this.#program.streams) {
      if (opener === 'go') continue;
      for (let made = 0; made < roundTrips; made += 1) await this.roundTrip();
      await this.#try(async () => this.#add(await this.#session.open()));
    }
  }

  async #step(): Promise<void> {
    for (const step of this.#program.ourSteps) {
      if (step === 'destroy') this.#session.destroy();
      else await this.#try(() => this.#session[step]());
    }
  }

  async #try(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.failures.push((error as { code?: string }).code ?? String(error));
    }
  }
}

function describe(stream: YamuxStream): object {
  const { id, direction, bytesRead, bytesWritten, readableLength, writableLength, writableFinished } = stream;
  const { readableEnded, readableFlowing, destroyed } = stream;
  return {
    ...{ id, direction, bytesRead, bytesWritten, readableLength, writableLength, writableFinished },
    ...{ readableEnded, readableFlowing, destroyed },
  };
}
