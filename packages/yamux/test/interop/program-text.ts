// A program as a person reads it: what each end does, and nothing of what it does not.
import type { Cut, Half, OurHalf, Program, StreamPlan } from './program.ts';

/** Several lines; the last one is the program as data, for the examples of program-property.ts. */
export function describeProgram(program: Program): string {
  const { role, options, config, streams, ourSteps, goSteps, closer } = program;
  return [
    `our ${role} and hashicorp/yamux; when all is done ${nameOf(closer)} close${closer === 'go' ? 's' : ''}`,
    ...list('our options', settings(options)),
    ...list("Go's config", settings(config)),
    ...list('we', ourSteps),
    ...list('Go', goSteps),
    ...streams.flatMap(describeStream),
    `as data: ${JSON.stringify(program)}`,
  ].join('\n  ');
}

function describeStream({ id, opener, roundTrips, us, go }: StreamPlan): string[] {
  const when = roundTrips === 0 ? '' : `, ${count(roundTrips, 'round trip')} later`;
  return [
    `stream ${id}, opened by ${opener}${when}`,
    `  us: ${[...halfInWords(us), ...ourWords(us)].join('; ')}`,
    `  go: ${halfInWords(go).join('; ')}`,
  ];
}

function halfInWords({ writes, writesAfter, pauses, readSize }: Half): string[] {
  const written = writes.map(({ size, chunk }) => `${size} by ${chunk}`).join(', ');
  const first = writesAfter === 0 ? '' : `waits for ${count(writesAfter, 'byte')} or the end, then `;
  const stops = pauses.length === 0 ? '' : `, a round trip's pause at ${pauses.join(', ')}`;
  return [`${first}${written === '' ? 'ends' : `writes ${written}`}`, `reads by ${readSize}${stops}`];
}

function ourWords({ flows, cut }: OurHalf): string[] {
  return [...(flows ? ["'data' events"] : []), ...(cut === null ? [] : [cutInWords(cut)])];
}

function cutInWords({ how, after, count: much }: Cut): string {
  return `${how} after ${count(much, after === 'bytes' ? 'byte' : 'round trip')}`;
}

function settings(given: object): string[] {
  return Object.entries(given).map(([name, value]) => `${name} ${value}`);
}

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${title}: ${items.join(', ')}`];
}

function nameOf(end: 'us' | 'go'): string {
  return end === 'us' ? 'we' : 'Go';
}

function count(much: number, what: string): string {
  return `${much} ${what}${much === 1 ? '' : 's'}`;
}
