// A node's process as the test has it: started, asked, stopped and killed; with the wires by which its peers reach it, and it the engine.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { FaultyProcess } from '../support/faulty-process.ts';
import { Wire } from '../support/wire.ts';
import { SECRET } from '../support/world.ts';
import type { Command, NodeSettings, Ports, Status } from './node.ts';

const PROGRAM = fileURLToPath(new URL('./node.ts', import.meta.url));

export class NodeProcess extends FaultyProcess {
  /** To the peer port. */
  readonly peers: Wire;
  readonly engine: Wire;
  readonly name: string;
  #ports: Ports | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(name: string, engine: string) {
    super();
    this.name = name;
    this.engine = new Wire(() => ({ path: engine }));
    this.peers = new Wire(() =>
      this.#ports === undefined ? undefined : { host: '127.0.0.1', port: this.#ports.peers },
    );
  }

  get ports(): Ports {
    return this.#ports as Ports;
  }

  get isRunning(): boolean {
    return this.#ports !== undefined;
  }

  async start(): Promise<void> {
    const settings: NodeSettings = {
      name: this.name,
      address: `127.0.0.1:${await this.peers.port()}`,
      engine: `redis://127.0.0.1:${await this.engine.port()}`,
      secret: SECRET,
    };
    const flags = ['--conditions=@zishuo/source', '--import', 'tsx'];
    const child = spawn(process.execPath, [...flags, PROGRAM, JSON.stringify(settings)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.process = child;
    this.#last = Promise.resolve();
    [this.#ports] = (await once(child, 'message')) as [Ports];
  }

  async status(): Promise<Status> {
    return (await this.#tell({ do: 'status' })) as Status;
  }

  async drain(): Promise<void> {
    await this.#tell({ do: 'drain' });
  }

  async strangers(count: number): Promise<void> {
    await this.#tell({ do: 'strangers', count });
  }

  /** As an operator ends it. Resolves when it has ended. */
  async end(): Promise<void> {
    const child = this.process as ChildProcess;
    const ended = once(child, 'exit');
    child.send({ do: 'close' } satisfies Command);
    await ended;
    this.#ports = undefined;
  }

  override async kill(): Promise<void> {
    this.#ports = undefined;
    await super.kill();
  }

  async close(): Promise<void> {
    await this.kill();
    await Promise.all([this.peers.close(), this.engine.close()]);
  }

  /** One after the other: an answer does not say to what. */
  #tell(command: Command): Promise<unknown> {
    const child = this.process as ChildProcess;
    const answer = this.#last.then(async () => {
      const answered = once(child, 'message');
      child.send(command);
      return ((await answered) as unknown[])[0];
    });
    this.#last = answer;
    return answer;
  }
}
