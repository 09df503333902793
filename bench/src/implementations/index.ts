import type { Implementation } from '../implementation.ts';
import { http2 } from './http2.ts';
import { rawSocket } from './raw-socket.ts';
import { yamux } from './yamux.ts';

/** In the order of the table; the ratios are against the first. */
export const implementations: readonly [Implementation, ...Implementation[]] = [yamux, rawSocket, http2];
