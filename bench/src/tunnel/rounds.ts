// The whole of `--only tunnel`, or some cases of it.
import { runRounds, type Series } from '../rounds.ts';
import { buildEnds } from './ends.ts';
import { IdleRun } from './idle.ts';
import { idleTrial, tunnelTrials } from './index.ts';
import { TunnelRun } from './run.ts';
import { usageIsMissing } from './usage.ts';

export const tunnelNames: readonly string[] = [...tunnelTrials, idleTrial].map(({ benchCase }) => benchCase.name);

export interface TunnelPlan {
  /** Of the cases. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly onRound: (round: number, series: Series) => void;
  /** Told of what is not as it should be, in one line. */
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
    onNote('the load and the origin run in Node, for want of Go: they are part of what is measured');
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
