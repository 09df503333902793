// One kind of load: the operations of the client's half, and the figures that it measures. It knows no implementation.

import type { Connection } from './implementation.ts';

/** The description of one figure, for readers. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
}

/** The link between the two ends. */
export interface LinkShape {
  /** One way. */
  readonly delayMs: number;
  /** Each way. */
  readonly bytesPerSecond: number;
}

/** A case, for any contender. */
export interface Measurable {
  /** The name for `--only`. */
  readonly name: string;
  readonly figures: readonly Figure[];
  /** Whether each round has its own processes, without a warm-up. */
  readonly isCold?: true;
}

export interface Case extends Measurable {
  /** If undefined, the ends are connected directly. */
  readonly link?: LinkShape | undefined;
  /** The case as data, for programs that do not run in Node. */
  readonly load: Readonly<Record<string, string | number>>;
  /**
   * In the client's process: loads the connection for `ms`, waits until all of it has arrived and every stream has ended, and returns
   * its figures, in their order. Rejects if a byte is missing.
   */
  drive(connection: Connection, ms: number): Promise<readonly number[]>;
}
