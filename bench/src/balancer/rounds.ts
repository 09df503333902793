// The order of measurements: each round has every picker with every number of sessions, each in its own process.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type CaseSummary, summarizeFigures } from '../summary.ts';
import { type Group, SIZES } from './index.ts';
import type { Picker } from './picker.ts';

interface Row {
  readonly group: Group;
  readonly picker: Picker;
  readonly sessions: number;
  readonly figures: number[];
}

export async function measureBalancer(
  groups: readonly Group[],
  rounds: number,
  onRound: (round: number, what: string) => void,
): Promise<CaseSummary[]> {
  const rows: Row[] = groups.flatMap((group) =>
    SIZES.flatMap((sessions) =>
      group.pickers
        .filter(({ largest }) => sessions <= largest)
        .map((picker) => ({ group, picker, sessions, figures: [] })),
    ),
  );
  for (let round = 1; round <= rounds; round += 1) {
    onRound(round, groups.map(({ name }) => name).join(', '));
    for (const { group, picker, sessions, figures } of rows) figures.push(await measure(group, picker, sessions));
  }
  return groups.flatMap((group) =>
    SIZES.map((sessions) => {
      const described = {
        name: `${group.name}-${sessions}`,
        title: `${group.title}, ${sessions.toLocaleString('en-US')} sessions`,
        unit: 'ns',
        better: 'lower' as const,
      };
      const own = rows.filter((row) => row.group === group && row.sessions === sessions);
      return summarizeFigures(
        described,
        own.map(({ picker, figures }) => ({ name: picker.name, figures })),
      );
    }),
  );
}

async function measure(group: Group, picker: Picker, sessions: number): Promise<number> {
  const program = fileURLToPath(new URL('./picks.js', import.meta.url));
  const child = fork(program, [group.name, picker.name, String(sessions)], { execArgv: [] });
  const [message] = (await Promise.race([once(child, 'message'), failed(child)])) as [{ readonly figure: number }];
  return message.figure;
}

async function failed(child: ReturnType<typeof fork>): Promise<never> {
  const [code, signal] = await once(child, 'exit');
  throw new Error(`the process that measures ended with ${signal ?? `code ${code}`}`);
}
