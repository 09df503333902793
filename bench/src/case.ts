// One kind of load: what the client's end does with streams, and the figures that come of it. It knows no implementation.

import type { Connection } from './implementation.ts';

/** What one figure is, for whoever reads it. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
}

/** What lies between the two ends. */
export interface LinkShape {
  /** One way. */
  readonly delayMs: number;
  /** Each way. */
  readonly bytesPerSecond: number;
}

/** What is measured of whoever is put to it. */
export interface Measurable {
  /** What `--only` takes. */
  readonly name: string;
  readonly figures: readonly Figure[];
  /** Each round in processes of its own, which nothing has warmed up. */
  readonly isCold?: true;
}

export interface Case extends Measurable {
  /** Without one the ends are as near to each other as they can be. */
  readonly link?: LinkShape | undefined;
  /** The case in words and numbers, for a program that is not of Node. */
  readonly load: Readonly<Record<string, string | number>>;
  /**
   * In the client's process: loads the connection for `ms`, waits until all of it has arrived and every stream has ended, and returns
   * its figures, in their order. Rejects if a byte is missing.
   */
  drive(connection: Connection, ms: number): Promise<readonly number[]>;
}
