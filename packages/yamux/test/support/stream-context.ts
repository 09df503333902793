// What a session gives all its streams, without a session.

import type { Clock } from '../../src/clock.ts';
import type { StreamContext } from '../../src/duplex/readable-half.ts';
import { NextTurn } from '../../src/next-turn.ts';

export function streamContext(clock: Clock): StreamContext {
  return { clock, transport: {}, turns: new NextTurn((stream) => stream.turnCame()) };
}
