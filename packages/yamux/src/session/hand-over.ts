// A stream that is handed over by a promise reaches the code that awaits it only after this tick. If the peer's RST, or the end of the
// session, came with the same chunk, its 'error' would find no listener and end the process: a peer could do that at will. So no
// 'error' and no 'close' comes out before the next setImmediate.

import type { YamuxStream } from '../duplex/yamux-stream.ts';
import { NextTurn } from '../next-turn.ts';

export class HandOver {
  readonly #held = new NextTurn<YamuxStream>((stream) => stream.releaseEvents());

  hold(stream: YamuxStream): void {
    stream.holdEvents();
    this.#held.add(stream);
  }
}
