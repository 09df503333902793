// One kind of load: what both ends do with streams, and the figure that comes of it. It knows no implementation.

import type { ByteStream, Connection } from './implementation.ts';

export interface Case {
  /** What `--only` takes. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  /** In the server's process, for each stream. */
  serve(stream: ByteStream): void;
  /**
   * In the client's process: loads the connection for `ms`, waits until all of it has arrived and every stream has ended, and returns
   * the figure in `unit`. Rejects if a byte is missing.
   */
  drive(connection: Connection, ms: number): Promise<number>;
}
