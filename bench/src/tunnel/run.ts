// Runs one subject in one case: its processes, from their start to their end.
import type { Drivable, Outcome } from '../rounds.ts';
import type { RoundOutcome, TunnelCase } from './cases.ts';
import { type Child, Children } from './children.ts';
import { type EndsLanguage, LoadEnd, startOrigin } from './ends.ts';
import { HOST, type Subject, type Way } from './subject.ts';
import { usageOf } from './usage.ts';

export class TunnelRun implements Drivable {
  readonly #children = new Children();
  readonly #subject: Subject;
  readonly #case: TunnelCase;
  readonly #language: EndsLanguage;
  #started: Promise<{ readonly way: Way; readonly load: LoadEnd }> | undefined;

  constructor(subject: Subject, tunnelCase: TunnelCase, language: EndsLanguage) {
    this.#subject = subject;
    this.#case = tunnelCase;
    this.#language = language;
  }

  /** Never rejects. Call it once at a time. */
  async drive(ms: number): Promise<Outcome> {
    try {
      this.#started ??= this.#start();
      const { way, load } = await this.#started;
      await load.connect({ url: way.url, host: HOST, ms, groups: this.#case.groups });
      const before = cpuOf(way);
      const outcome = await load.drive();
      return { figures: this.#case.read({ ...outcome, ...usedSince(before, way) }) };
    } catch (error) {
      return { failure: (error as Error).message };
    }
  }

  end(): Promise<void> {
    return this.#children.end();
  }

  async #start(): Promise<{ readonly way: Way; readonly load: LoadEnd }> {
    const children = this.#children;
    const way = await this.#subject.start(children, await startOrigin(children, this.#language));
    await children.served(way.url, HOST);
    return { way, load: new LoadEnd(children, this.#language) };
  }
}

type CpuOfEach = readonly [near: number, far: number];

function cpuOf({ near, far }: Way): CpuOfEach {
  const cpu = (child: Child | undefined): number => (child === undefined ? 0 : usageOf(child.pid).cpuMs);
  return [cpu(near), cpu(far)];
}

function usedSince([nearCpu, farCpu]: CpuOfEach, { near, far }: Way): Pick<RoundOutcome, 'near' | 'far'> {
  const used = (child: Child | undefined, before: number): RoundOutcome['near'] => {
    if (child === undefined) return undefined;
    const { cpuMs, peakMemory } = usageOf(child.pid);
    return { cpuMs: cpuMs - before, peakMemory };
  };
  return { near: used(near, nearCpu), far: used(far, farCpu) };
}
