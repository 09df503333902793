// What a program runs over.

import type { Duplex } from 'node:stream';
import type { EndName } from './program.ts';

/** A net.Socket or a stream: a Duplex with what both have beyond that. */
export interface Connection extends Duplex {
  readonly timeout?: number | undefined;
  setTimeout(ms: number, callback?: () => void): this;
  destroySoon(): void;
}

export interface Carrier {
  readonly ends: Readonly<Record<EndName, Connection>>;
  /** Everything under way comes to rest. */
  settle(): Promise<void>;
  reset(end: EndName): void;
  /** The process of this end is gone. */
  die(end: EndName): void;
  /** This end goes as soon as all its work is done. */
  leave(end: EndName): void;
  /** Time passes in which nobody does anything. */
  think(ms: number): Promise<void>;
  /** Resolves when `ms` have passed on the connection's clock and its timers have fired. */
  idle(end: EndName, ms: number): Promise<void>;
  /** How another connection of the same two processes fares: 'well', or what is wrong. */
  neighbour(): Promise<string>;
  /** When the program is over: closes all, and says what stayed behind. */
  close(): Promise<string[]>;
}
