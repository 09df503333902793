// A running Go peer (go-peer/) under typed control. One call is one command; a call settles when the peer has carried it out.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { GoProgram, GoReport } from './program.ts';

export type Role = 'client' | 'server';

/** What became of a send, a receive or an echo: 'sent', 'eof', or hashicorp's own words for what cut it short. */
export interface Transfer {
  readonly bytes: number;
  readonly sha256: string;
  readonly outcome: string;
}

/** The parts of hashicorp's Config that a test may set; times in ms. What is left out has its default. */
export interface GoConfig {
  /** How both ends come to a connection; 'tcp' unless it says otherwise. */
  readonly transport?: 'tcp' | 'tls' | 'websocket';
  readonly acceptBacklog?: number;
  readonly keepAliveInterval?: number;
  readonly writeTimeout?: number;
  readonly openTimeout?: number;
  readonly closeTimeout?: number;
  readonly maxWindow?: number;
}

/** How a session of the Go peer ended: hashicorp's word for why, and what it logged. */
export interface GoEnding {
  readonly outcome: string;
  readonly complaints: readonly string[];
}

/** A key and a certificate for 127.0.0.1, both PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** What hashicorp put on the wire in a scene of go-peer/vectors.go. */
export interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly frames: readonly string[];
}

interface Command {
  readonly do: string;
  readonly role?: Role;
  readonly config?: GoConfig;
  readonly port?: number;
  readonly session?: number;
  readonly stream?: number;
  readonly seed?: number;
  readonly size?: number;
  readonly chunk?: number;
  readonly within?: number;
  readonly count?: number;
  readonly program?: GoProgram;
}

interface Reply {
  readonly number: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** Credit for a stream whose last frames are on their way to us, and a ping for a session that is being closed: nobody's fault. */
const CROSSED = /frame for missing stream: Vsn:0 Type:1 Flags:0 |failed to send ping reply: session shutdown$/;

function complaintsIn(log: readonly string[]): string[] {
  return log.filter((line) => line !== '' && !CROSSED.test(line));
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

export class GoPeer {
  readonly #child: Child;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Map<number, Waiting>();
  #commands = 0;
  #log = '';
  #isGone = false;

  constructor(executable: string) {
    this.#child = spawn(executable, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#exited = once(this.#child, 'close');
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#log += text;
    });
    this.#child.stdin.on('error', () => {}); // a peer that is gone is reported by its exit, with its log
    createInterface(this.#child.stdout).on('line', (line) => this.#settle(JSON.parse(line)));
    this.#exited.then(
      () => this.#abandon(new Error(`the Go peer is gone; its log: ${this.#log || '(empty)'}`)),
      (error: Error) => this.#abandon(error),
    );
  }

  /** The process has ended, by itself or by stop(). */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** What hashicorp/yamux has logged so far, and it logs only what it holds to be wrong, without what crossed on the wire. */
  get complaints(): readonly string[] {
    return complaintsIn(this.#log.split('\n'));
  }

  /** Waits on a port of 127.0.0.1 for one connection, and is `role` over it. */
  async listen(role: Role, config: GoConfig = {}): Promise<{ readonly port: number; readonly session: GoSession }> {
    const { session, port } = await this.perform<{ session: number; port: number }>({ do: 'listen', role, config });
    return { port, session: new GoSession(this, session) };
  }

  /** Connects to a port of 127.0.0.1, and is `role` over that connection. */
  async dial(port: number, role: Role, config: GoConfig = {}): Promise<GoSession> {
    const { session } = await this.perform<{ session: number }>({ do: 'dial', port, role, config });
    return new GoSession(this, session);
  }

  /** Who the peer is over TLS, and whom it trusts: nobody else. */
  identity(): Promise<Identity> {
    return this.perform<Identity>({ do: 'identity' });
  }

  /** Has hashicorp play its scenes, and records what it sends. */
  vectors(): Promise<readonly Vector[]> {
    return this.perform<Vector[]>({ do: 'vectors' });
  }

  /** Ends the process, and with it all its sessions. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    await this.#exited;
  }

  perform<Result>(command: Command): Promise<Result> {
    const number = ++this.#commands;
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.set(number, { resolve: resolve as Waiting['resolve'], reject });
      this.#child.stdin.write(`${JSON.stringify({ ...command, number })}\n`);
    });
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.number);
    this.#waiting.delete(reply.number);
    if (reply.error === undefined) waiting?.resolve(reply.result);
    else waiting?.reject(new Error(`Go: ${reply.error}`));
  }

  #abandon(error: Error): void {
    this.#isGone = true;
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }
}

/** A session of the Go peer. */
export class GoSession {
  readonly #peer: GoPeer;
  readonly #session: number;

  constructor(peer: GoPeer, session: number) {
    this.#peer = peer;
    this.#session = session;
  }

  async open(): Promise<GoStream> {
    const { stream } = await this.#perform<{ stream: number }>('open');
    return new GoStream(this.#peer, this.#session, stream);
  }

  /** The next stream that was opened towards the peer, in the order of the SYNs. */
  async accept(): Promise<GoStream> {
    const { stream } = await this.#perform<{ stream: number }>('accept');
    return new GoStream(this.#peer, this.#session, stream);
  }

  /** The round trip in milliseconds. */
  async ping(): Promise<number> {
    const { ms } = await this.#perform<{ ms: number }>('ping');
    return ms;
  }

  /** So many pings at once. */
  async pings(count: number): Promise<void> {
    await this.#perform('pings', { count });
  }

  /** How many streams hashicorp holds to be live. */
  async streamCount(): Promise<number> {
    const { streams } = await this.#perform<{ streams: number }>('streams');
    return streams;
  }

  async goAway(): Promise<void> {
    await this.#perform('goAway');
  }

  /** Carries out its half of a program; settles some time after finish() when all its streams have come to an end. */
  program(program: GoProgram): Promise<GoReport> {
    return this.#perform<GoReport>('program', { program });
  }

  /** All streams that we open have arrived. */
  async finish(): Promise<void> {
    await this.#perform('finish');
  }

  /** From now on what Yamux writes waits, until release(); it still reads. */
  async hold(): Promise<void> {
    await this.#perform('hold');
  }

  async release(): Promise<void> {
    await this.#perform('release');
  }

  /** Has the process die in the middle of the next payload that this session writes. */
  async dieWithin(): Promise<void> {
    await this.#perform('dieWithin');
  }

  /** Closes the connection. hashicorp sends no GoAway before it. */
  async close(): Promise<void> {
    await this.#perform('close');
  }

  /** Waits for the end, and resolves to hashicorp's word for why it came; 'EOF' if the other side closed. */
  async ended(): Promise<string> {
    const { outcome } = await this.ending();
    return outcome;
  }

  /** Waits for the end; the peer then forgets the session. */
  async ending(): Promise<GoEnding> {
    const { outcome, complaints } = await this.#perform<GoEnding>('ended');
    return { outcome, complaints: complaintsIn(complaints) };
  }

  #perform<Result>(what: string, command: Partial<Command> = {}): Promise<Result> {
    return this.#peer.perform<Result>({ ...command, do: what, session: this.#session });
  }
}

/** A stream of the Go peer. */
export class GoStream {
  /** The id on the wire. */
  readonly id: number;
  readonly #peer: GoPeer;
  readonly #session: number;

  constructor(peer: GoPeer, session: number, id: number) {
    this.#peer = peer;
    this.#session = session;
    this.id = id;
  }

  /** Writes the payload of a seed (payload.ts), `chunk` bytes a write, for `within` ms at the most. */
  send(seed: number, size: number, chunk: number = 64 * 1024, within?: number): Promise<Transfer> {
    return this.#perform<Transfer>({ do: 'send', seed, size, chunk, ...(within && { within }) });
  }

  /** Reads to the end. */
  receive(): Promise<Transfer> {
    return this.#perform<Transfer>({ do: 'receive' });
  }

  /** Reads so many bytes and no more, for `within` ms at the most. */
  read(size: number, within?: number): Promise<Transfer> {
    return this.#perform<Transfer>({ do: 'read', size, ...(within && { within }) });
  }

  /** Sends back what it reads as it reads it, to the end, then ends its own half. */
  echo(): Promise<Transfer> {
    return this.#perform<Transfer>({ do: 'echo' });
  }

  /** Sends FIN; reading goes on. */
  async closeWrite(): Promise<void> {
    await this.#perform({ do: 'closeWrite' });
  }

  #perform<Result>(command: Command): Promise<Result> {
    return this.#peer.perform<Result>({ ...command, session: this.#session, stream: this.id });
  }
}
