// Runs `--only tunnel`, or some of its cases.
import { runRounds, type Series } from '../rounds.ts';
import { buildEnds } from './ends.ts';
import { IdleRun } from './idle.ts';
import { idleTrial, tunnelTrials } from './index.ts';
import { TunnelRun } from './run.ts';
import { usageIsMissing } from './usage.ts';

export const tunnelNames: readonly string[] = [...tunnelTrials, idleTrial].map(({ benchCase }) => benchCase.name);

export interface TunnelPlan {
  /** The names of the cases. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly onRound: (round: number, series: Series) => void;
  /** Called with a problem, in one line. */
  readonly onNote: (note: string) => void;
}

export async function measureTunnel({ names, rounds, onRound, onNote }: TunnelPlan): Promise<readonly Series[]> {
  if (names.length === 0) return [];
  const missing = usageIsMissing();
  if (missing !== undefined) {
    onNote(`the tunnel is skipped: ${missing}`);
    return [];
  }
  const language = await buildEnds();
  if (language === 'Node')
    onNote('the load and the origin run in Node, because Go is not installed: they affect the figures');
  const isMeant = ({ benchCase }: { readonly benchCase: { readonly name: string } }): boolean =>
    names.includes(benchCase.name);
  const loaded = await runRounds({
    trials: tunnelTrials.filter(isMeant),
    rounds,
    start: (subject, benchCase) => new TunnelRun(subject, benchCase, language),
    onRound,
  });
  const idle = await runRounds({
    trials: [idleTrial].filter(isMeant),
    rounds,
    start: (subject, benchCase) => new IdleRun(subject, benchCase),
    onRound,
  });
  return [...loaded, ...idle];
}
