// Runs one contender in one scenario with several seeds: the durations of its requests, and the number of failures.
import { SessionPool } from '@zishuo/yamux-balancer';
import { type FakeSession, seededRandom } from '@zishuo/yamux-balancer/testing';
import { Agenda } from './agenda.ts';
import type { Contender } from './contenders.ts';
import { type Scenario, SESSIONS, WORK } from './scenarios.ts';
import { Server } from './server.ts';

export interface Outcome {
  readonly requests: number;
  readonly errors: number;
  /** Milliseconds; a failed request counts with the time until its failure. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

const WARM_UP = 5_000;
/** The longest wait of a caller, in milliseconds. */
const DEADLINE = 1_000;
/** The standard deviation of the logarithm of the work: one request in a hundred takes 2.8 times the mean. */
const SPREAD = 0.5;

export async function simulate(contender: Contender, scenario: Scenario, runs: number): Promise<Outcome> {
  const times: number[] = [];
  let errors = 0;
  for (let run = 0; run < runs; run += 1) {
    const result = await runOnce(contender, scenario, seededRandom(run + 1), seededRandom(10_000 + run));
    times.push(...result.times);
    errors += result.errors;
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? Number.NaN;
  return { requests: times.length, errors, p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}

/** `chance` is the random source of the scenario, the same for each contender; `ownChance` is that of the contender. */
async function runOnce(
  { options, routing = () => ({}) }: Contender,
  { rate, lasts, joins, befall }: Scenario,
  chance: () => number,
  ownChance: () => number,
): Promise<{ readonly times: number[]; readonly errors: number }> {
  const agenda = new Agenda();
  const exponential = (mean: number): number => -mean * Math.log(1 - chance());
  const pool = new SessionPool<FakeSession>({ clock: agenda.clock, random: ownChance, ...options() });
  const begins = agenda.now + WARM_UP;
  const ends = begins + lasts;
  // The work of a request and its time are drawn with the request, so they do not depend on the session that serves it.
  let work = 0;
  const servers = Array.from({ length: SESSIONS }, () => new Server(agenda, () => work));
  const [afflicted, ...others] = servers as [Server, ...Server[]];
  befall(afflicted, begins);
  for (const server of joins ? others : servers) pool.add(server);
  if (joins) agenda.in(WARM_UP, () => void pool.add(afflicted));
  const times: number[] = [];
  let errors = 0;
  let requests = 0;
  const request = async (): Promise<void> => {
    const from = agenda.now;
    const isCounted = from >= begins;
    requests += 1;
    try {
      const stream = await pool.open(routing(requests));
      agenda.in(DEADLINE, () => stream.destroy(stream.closed ? undefined : new Error('too late')));
      stream.on('error', () => {});
      await new Promise((resolve) => stream.once('close', resolve));
      if (stream.errored) throw stream.errored;
      if (isCounted) times.push(agenda.now - from);
    } catch {
      if (!isCounted) return;
      errors += 1;
      times.push(agenda.now - from);
    }
  };
  const arrive = (): void => {
    if (agenda.now >= ends) return;
    work = WORK * Math.exp(SPREAD * normal(chance) - SPREAD ** 2 / 2);
    void request();
    agenda.in(exponential(1_000 / rate), arrive);
  };
  arrive();
  await agenda.run();
  return { times, errors };
}

/** A random number of the standard normal distribution (Box-Muller). */
function normal(chance: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
}
