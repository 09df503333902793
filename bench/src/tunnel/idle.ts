// Idle agents: the cost of each for its server, and the time until all have reconnected to a server that was killed.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Figure } from '../case.ts';
import type { Drivable, Outcome } from '../rounds.ts';
import { Children } from './children.ts';
import type { IdleServer, IdleSetting, Subject } from './subject.ts';
import { usageOf } from './usage.ts';

const PATIENCE_MS = 120_000;
const KIB = 1_024;

export interface IdleCase {
  readonly name: string;
  readonly figures: readonly Figure[];
  readonly agents: number;
  /** Milliseconds between the last connection and the measurement, and the duration of the measurement. */
  readonly settleMs: number;
  readonly restMs: number;
}

export function idleCase(name: string, agents: number): IdleCase {
  const many = agents.toLocaleString('en-US');
  return {
    name,
    agents,
    settleMs: 2_000,
    restMs: 10_000,
    figures: [
      {
        name: `${name}-memory`,
        title: `an idle agent, of ${many}: memory at the gateway`,
        unit: 'KiB',
        better: 'lower',
      },
      { name: `${name}-cpu`, title: `${many} idle agents: CPU of the gateway`, unit: 'ms/s', better: 'lower' },
      {
        name: `${name}-again`,
        title: `${many} agents, all back after a restart of the gateway`,
        unit: 's',
        better: 'lower',
      },
      { name: `${name}-again-cpu`, title: `${many} agents, all back: CPU of the gateway`, unit: 's', better: 'lower' },
    ],
  };
}

/** A round waits, and then restarts the server. Its length is the duration of both. */
export class IdleRun implements Drivable {
  readonly #children = new Children();
  readonly #subject: Subject;
  readonly #case: IdleCase;
  #started: Promise<{ readonly setting: IdleSetting; readonly emptyMemory: number }> | undefined;
  #running!: IdleServer;

  constructor(subject: Subject, idle: IdleCase) {
    this.#subject = subject;
    this.#case = idle;
  }

  /** Never rejects. Call it once at a time. */
  async drive(): Promise<Outcome> {
    const { agents, settleMs, restMs } = this.#case;
    try {
      this.#started ??= this.#start();
      const { setting, emptyMemory } = await this.#started;
      await sleep(settleMs);
      const { pid } = this.#running.server;
      const before = usageOf(pid);
      await this.#children.alive(sleep(restMs));
      const after = usageOf(pid);
      const again = await this.#restart(setting);
      return {
        figures: [
          (after.memory - emptyMemory) / KIB / agents,
          ((after.cpuMs - before.cpuMs) * 1000) / restMs,
          again.seconds,
          again.cpuSeconds,
        ],
      };
    } catch (error) {
      return { failure: (error as Error).message };
    }
  }

  end(): Promise<void> {
    return this.#children.end();
  }

  async #start(): Promise<{ readonly setting: IdleSetting; readonly emptyMemory: number }> {
    const setting = await this.#subject.idle?.(this.#children, this.#case.agents);
    if (setting === undefined) throw new Error('expected a subject that has agents');
    this.#running = await setting.startServer();
    await sleep(this.#case.settleMs);
    const { memory } = usageOf(this.#running.server.pid);
    await setting.startAgents();
    await this.#allConnected();
    return { setting, emptyMemory: memory };
  }

  async #restart(setting: IdleSetting): Promise<{ readonly seconds: number; readonly cpuSeconds: number }> {
    await this.#children.kill(this.#running.server);
    const start = performance.now();
    this.#running = await setting.startServer();
    await this.#allConnected();
    const seconds = (performance.now() - start) / 1000;
    return { seconds, cpuSeconds: usageOf(this.#running.server.pid).cpuMs / 1000 };
  }

  #allConnected(): Promise<void> {
    const all = this.#case.agents;
    const are = async (): Promise<boolean> => (await this.#running.count()) >= all;
    return this.#children.until(`${all} agents are connected`, are, PATIENCE_MS);
  }
}
