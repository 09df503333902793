// Runs `--only fleet`, or some of its cases.
import type { Contender } from '../implementation.ts';
import { versionOf } from '../implementations/version.ts';
import { type Drivable, type Outcome, runRounds, type Series } from '../rounds.ts';
import { Children } from '../tunnel/children.ts';
import { Dialogue } from '../tunnel/dialogue.ts';
import type { FleetCase, FleetMessage } from './case.ts';
import { engineIsMissing } from './engine.ts';
import { fleetCases } from './index.ts';

export const fleetNames: readonly string[] = fleetCases.map(({ name }) => name);

export interface FleetPlan {
  /** The names of the cases. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly onRound: (round: number, series: Series) => void;
  /** Called with a problem, in one line. */
  readonly onNote: (note: string) => void;
}

const fleet: Contender = {
  name: '@zishuo/yamux-fleet',
  version: versionOf('@zishuo/yamux-fleet'),
  note: 'two nodes, links with a secret and without TLS; the engine is redis-server on 127.0.0.1, without persistence',
};

export async function measureFleet({ names, rounds, onRound, onNote }: FleetPlan): Promise<readonly Series[]> {
  const chosen = fleetCases.filter(({ name }) => names.includes(name));
  const missing = chosen.some(({ needsEngine }) => needsEngine) ? engineIsMissing() : undefined;
  const able = chosen.filter(({ needsEngine }) => missing === undefined || needsEngine !== true);
  const skipped = chosen.filter((one) => !able.includes(one)).map(({ name }) => name);
  if (missing !== undefined) onNote(`${skipped.join(', ')}: skipped, ${missing}`);
  return await runRounds({
    trials: able.map((benchCase) => ({ benchCase, contenders: [fleet] })),
    rounds,
    start: (_contender, benchCase) => new FleetRun(benchCase),
    onRound,
  });
}

/** The processes of one case, from their start to their end. */
export class FleetRun implements Drivable {
  readonly #children = new Children();
  readonly #case: FleetCase;
  #started: Promise<Dialogue<FleetMessage>> | undefined;

  constructor(fleetCase: FleetCase) {
    this.#case = fleetCase;
  }

  /** Never rejects. Call it once at a time. */
  async drive(ms: number): Promise<Outcome> {
    try {
      this.#started ??= this.#start();
      const load = await this.#started;
      load.tell(String(ms));
      return { figures: (await load.hear('figures')).figures };
    } catch (error) {
      return { failure: (error as Error).message };
    }
  }

  end(): Promise<void> {
    return this.#children.end();
  }

  async #start(): Promise<Dialogue<FleetMessage>> {
    const args = (await this.#case.prepare?.(this.#children)) ?? [];
    const load = this.#children.startOwn('fleet-load', [this.#case.name, ...args], { isSpokenWith: true });
    return new Dialogue<FleetMessage>(this.#children, load);
  }
}
