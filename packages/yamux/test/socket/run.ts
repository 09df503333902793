// Runs a program over a carrier and returns what both ends saw after each round, and afterwards, while one thing after the other is put away.

import { Actor } from './actor.ts';
import type { Carrier } from './carrier.ts';
import { Outside } from './outside.ts';
import type { EndName, Program } from './program.ts';
import type { Sight } from './sight.ts';

export interface Transcript {
  readonly sights: ReadonlyArray<Readonly<Record<EndName, Sight>>>;
  /** When each of them was seen. */
  readonly stages: readonly string[];
  /** What the process heard that no listener threw, or did not hear though one did. */
  readonly uncaught: string;
  readonly warnings: string;
  readonly neighbour: string;
  readonly left: readonly string[];
}

export async function run(program: Program, connect: (program: Program) => Promise<Carrier>): Promise<Transcript> {
  const outside = new Outside();
  try {
    const carrier = await connect(program).catch((error: unknown) => String(error));
    if (typeof carrier === 'string')
      return { sights: [], stages: [], uncaught: '', warnings: '', neighbour: carrier, left: [] };
    return await play(program, carrier, outside);
  } finally {
    outside.restore();
  }
}

async function play(program: Program, carrier: Carrier, outside: Outside): Promise<Transcript> {
  const [a, b] = [new Actor('a', carrier), new Actor('b', carrier)];
  const actors = { a, b };
  const sights: Array<Record<EndName, Sight>> = [];
  const stages: string[] = [];
  const rest = async (stage: string): Promise<void> => {
    await carrier.settle();
    await a.afterRound();
    await b.afterRound();
    await carrier.settle();
    sights.push({ a: a.look(), b: b.look() });
    stages.push(stage);
  };
  await carrier.settle();
  for (const [index, steps] of program.rounds.entries()) {
    for (const { end, ...action } of steps) if (!actors[end].isDead) actors[end].take(action);
    await rest(`round ${index + 1}`);
  }
  const neighbour = await carrier.neighbour();
  const living = [a, b].filter(({ isDead }) => !isDead);
  for (const actor of living) actor.readAll();
  await rest('when all was read');
  for (const actor of living) {
    actor.end();
    await rest(`when ${actor.name} had ended`);
  }
  for (const actor of [a, b]) actor.connection.destroy();
  await rest('at last');
  const left = await carrier.close();
  return {
    sights,
    stages,
    uncaught: unexpected(outside.uncaught, a.writer.thrown + b.writer.thrown),
    warnings: outside.warnings.includes('TimeoutOverflowWarning') ? 'TimeoutOverflowWarning' : '',
    neighbour,
    left,
  };
}

function unexpected(uncaught: readonly unknown[], thrown: number): string {
  const foreign = uncaught.filter((error) => !(error instanceof Error && error.message.startsWith('thrown by')));
  if (foreign.length > 0) return foreign.map(String).join(', ');
  return uncaught.length === thrown ? '' : `${thrown} thrown, ${uncaught.length} uncaught`;
}
