// What the one who dialed makes.

import type { Config } from './mux.ts';
import { Session } from './session.ts';

/** The side that opens odd stream ids: usually the one that dialed. It takes no streams of the peer; a {@link Session} with `onStream` does. */
export class Client extends Session {
  /** All options have a default. */
  constructor(config?: Config) {
    super(true, config);
  }
}
