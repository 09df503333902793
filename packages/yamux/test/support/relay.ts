// A man in the middle: two sessions, and all that they send passes through here, byte by counted byte, until the wire is cut.

import { client, type SessionOptions, server, type YamuxSession } from '../../src/index.ts';
import { duplexPair, type PairEnd, type PairOptions } from './duplex-pair.ts';

/** How a wire breaks: the receiver hears its end, an error on its transport, or its own application destroys that. */
export type Cut = 'end' | 'error' | 'destroy';

export class Relay {
  readonly a: YamuxSession;
  readonly b: YamuxSession;
  /** What passed, from a to b and from b to a. */
  readonly passed: readonly [Buffer[], Buffer[]] = [[], []];
  /** Where each direction comes out. */
  readonly #outlets: readonly [PairEnd, PairEnd];

  constructor(options: SessionOptions = {}, pairOptions: PairOptions = {}) {
    const [ofA, nearA] = duplexPair(pairOptions);
    const [nearB, ofB] = duplexPair(pairOptions);
    this.a = client(ofA, { keepAliveInterval: 0, ...options });
    this.b = server(ofB, { keepAliveInterval: 0, ...options });
    this.#outlets = [nearB, nearA];
    this.#pass(nearA, nearB, this.passed[0]);
    this.#pass(nearB, nearA, this.passed[1]);
  }

  #pass(from: PairEnd, to: PairEnd, record: Buffer[]): void {
    from.on('data', (chunk: Buffer) => {
      if (to.writableEnded || to.destroyed) return;
      record.push(chunk);
      to.write(chunk);
    });
    from.on('end', () => to.end());
    from.on('close', () => to.destroy());
    from.on('error', () => {});
  }

  /** After `count` bytes of that direction have passed, nothing more does. */
  cutAt(direction: 0 | 1, count: number, cut: Cut): void {
    const outlet = this.#outlets[direction];
    const write = outlet.write.bind(outlet) as (chunk: Buffer, callback?: () => void) => boolean;
    let left = count;
    outlet.write = (chunk: Buffer): boolean => {
      if (chunk.length < left) {
        left -= chunk.length;
        return write(chunk);
      }
      outlet.write = (): boolean => true;
      return write(chunk.subarray(0, left), () => {
        if (cut === 'end') outlet.end();
        else outlet.other.destroy(cut === 'error' ? new Error('the wire was cut') : undefined);
      });
    };
  }
}
