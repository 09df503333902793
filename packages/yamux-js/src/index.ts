// The public surface: all that yamux-js has at its root and in lib/. Every subpath of this package is this one module.

import { Client } from './client.ts';
import { Server } from './server.ts';
import { Session } from './session.ts';
import { Stream } from './stream.ts';

export {
  ERRORS,
  type ErrorName,
  FLAGS,
  GO_AWAY_ERRORS,
  initialStreamWindow,
  STREAM_STATES,
  TYPES,
  VERSION,
} from './constants.ts';
export { type Config, defaultConfig, type FullConfig } from './mux.ts';
export { Client, Server, Session, Stream };

/** For `import yamux from 'yamux-js'`, which a CommonJS package gives without a word. */
const yamux: {
  readonly Client: typeof Client;
  readonly Server: typeof Server;
  readonly Session: typeof Session;
  readonly Stream: typeof Stream;
} = { Client, Server, Session, Stream };
export default yamux;
