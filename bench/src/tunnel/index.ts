// The measurements of the tunnel, and its contenders. The ratios of the tables are to the first.
import type { Trial } from '../rounds.ts';
import { type TunnelCase, tunnelCases } from './cases.ts';
import { type IdleCase, idleCase } from './idle.ts';
import type { Subject } from './subject.ts';
import { frpSubjects } from './subjects/frp.ts';
import { oneHop, twoHops, twoTlsHops } from './subjects/hops.ts';
import { ours, oursOverTls } from './subjects/ours.ts';
import { pikoSubjects } from './subjects/piko.ts';
import { straight } from './subjects/straight.ts';

/** The name of all of them for `--only`. */
export const TUNNEL = 'tunnel';

const subjects: readonly Subject[] = [
  ours,
  oursOverTls,
  straight,
  oneHop,
  twoHops,
  twoTlsHops,
  ...frpSubjects,
  ...pikoSubjects,
];

export const tunnelTrials: readonly Trial<Subject, TunnelCase>[] = tunnelCases.map((benchCase) => ({
  benchCase,
  contenders: subjects,
}));

export const idleTrial: Trial<Subject, IdleCase> = {
  benchCase: idleCase('tunnel-idle', 2_000),
  contenders: subjects.filter(({ idle }) => idle !== undefined),
};
