// A measurement of the fleet: what it needs beside the process that is measured, and the operations in that process.
import type { Measurable } from '../case.ts';
import type { Children } from '../tunnel/children.ts';

/** Measures once, for about so many ms. Returns the figures of the case, in their order. */
export type Measure = (ms: number) => Promise<readonly number[]>;

export interface FleetCase extends Measurable {
  readonly needsEngine?: true;
  /** In the main process: starts the other processes. Resolves with the arguments of `begin`. */
  prepare?(children: Children): Promise<readonly string[]>;
  /** In the measured process. */
  begin(args: readonly string[]): Promise<Measure> | Measure;
}

/** What a process of the fleet's bench says. */
export type FleetMessage =
  | { readonly figures: readonly number[] }
  | { readonly node: string }
  | { readonly port: number }
  | { readonly failure: string };

export function say(message: FleetMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
