// What the one who was dialed makes.

import type { Config } from './mux.ts';
import { Session } from './session.ts';
import type { Stream } from './stream.ts';

/** The side that opens even stream ids: usually the one that was dialed. */
export class Server extends Session {
  /** `onStream` gets each stream that the peer opens. */
  constructor(onStream: (stream: Stream) => void, config?: Config) {
    super(false, config, onStream);
  }
}
