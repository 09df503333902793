// The incidents during the load: one sequence for two gateways on one host, one for a fleet on an engine, and one for the workers of a machine.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';
import type { Fleet } from './fleet.ts';
import type { Load } from './load.ts';
import type { Incidents, Kill } from './report.ts';

/** Tells a person. */
export type Tell = (text: string) => void;

const DRAINED = 'alpha';
const KILLED = 'charlie';
const STALL = 8_000;

export async function twoGateways(fleet: Fleet, load: Load, tell: Tell): Promise<Incidents> {
  await sleep(3_000);
  stallOne(load, tell);

  await sleep(1_000);
  await fleet.command({ type: 'drain', agent: DRAINED });
  const drainedFrom = performance.now();
  tell(`${DRAINED} is drained: what runs goes on, nothing new comes`);
  await sleep(4_000);
  const drainedUntil = performance.now();
  await fleet.command({ type: 'resume', agent: DRAINED });
  tell(`${DRAINED} is back`);

  await sleep(3_000);
  const kill = await killed(KILLED, () => fleet.killAgent(KILLED));
  tell(`${KILLED} was killed (SIGKILL), in the middle of its requests`);
  await sleep(2_000);
  await fleet.startAgent(KILLED);
  tell(`${KILLED} is there again, as a new process`);

  await sleep(2_000);
  await fleet.restartGateways(tell);
  tell('both gateways are there again, as new processes, with all their agents');

  await sleep(2_000);
  return { kills: [kill], drained: { agent: DRAINED, from: drainedFrom, until: drainedUntil } };
}

export async function fleetOnEngine(fleet: Fleet, load: Load, tell: Tell, engine: Engine): Promise<Incidents> {
  await sleep(2_000);
  stallOne(load, tell);

  const kill = await killed(undefined, () => fleet.killGateway(1));
  tell('gateway 2 was killed (SIGKILL), in the middle of its requests; its agent is connected to no other');
  await sleep(2_000);
  await fleet.beginGateway(1);
  tell('gateway 2 is there again, as a new process, with its agent');

  await sleep(1_000);
  engine.pause();
  tell('the engine stands still (SIGSTOP)');
  await sleep(3_000);
  engine.resume();
  await sleep(1_000);
  await engine.kill();
  tell('the engine was killed (SIGKILL), with all that it held');
  await sleep(3_000);
  await engine.begin();
  tell('the engine is there again, empty');

  await sleep(3_000);
  await fleet.restartGateways(tell);
  tell('all gateways are there again, as new processes, with all their agents');

  await sleep(2_000);
  return { kills: [kill] };
}

export async function workersOfMachine(fleet: Fleet, load: Load, tell: Tell): Promise<Incidents> {
  const [gateway] = fleet.gateways;
  await sleep(2_000);
  stallOne(load, tell);

  const numbers = [...(gateway?.process.workers.keys() ?? [])];
  let back: Promise<void> | undefined;
  const kill = await killed(undefined, () => {
    back = gateway?.process.replaceWorker(1, 'SIGKILL');
    return Promise.resolve();
  });
  tell('worker 1 was killed (SIGKILL), in the middle of its requests');
  await back;
  tell('worker 1 is there again, as a new process');

  for (const number of numbers) {
    await sleep(2_000);
    tell(`worker ${number} is asked to stop, as by SIGTERM, and started anew`);
    await gateway?.process.replaceWorker(number, 'SIGTERM');
  }
  await sleep(2_000);
  return { kills: [kill] };
}

function stallOne(load: Load, tell: Tell): void {
  tell(`a client asks for 64 MiB and reads nothing for ${STALL / 1000} s; the others must not notice`);
  load.add({ kind: 'download', size: 64 * 1024 * 1024, seed: 1, stall: STALL });
}

async function killed(agent: string | undefined, kill: () => Promise<void>): Promise<Kill> {
  const from = performance.now();
  await kill();
  return { agent, from, until: performance.now() };
}
