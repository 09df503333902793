// A stream that is handed over by a promise reaches the code that awaits it only after this tick. If the peer's RST, or the end of the
// session, came with the same chunk, its 'error' would find no listener and end the process: a peer could do that at will. So no
// 'error' and no 'close' comes out before the next setImmediate.

import type { YamuxStream } from '../duplex/yamux-stream.ts';

export class HandOver {
  #held: YamuxStream[] = [];

  hold(stream: YamuxStream): void {
    stream.holdEvents();
    // One setImmediate for all streams of a tick.
    if (this.#held.push(stream) === 1) setImmediate(this.#release);
  }

  readonly #release = (): void => {
    const streams = this.#held;
    this.#held = [];
    for (const stream of streams) stream.releaseEvents();
  };
}
