// What the tunnel does with whole connections, sockets and streams alike: break them off so that the other end sees it, and join two.
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TunnelError } from '../errors.ts';

/** A net.Socket or a YamuxStream, which is shaped like one. */
export interface Connection extends Duplex {
  setTimeout(milliseconds: number, callback?: () => void): unknown;
  destroySoon(): void;
}

/**
 * Breaks it off, with RST. A plain destroy() of a socket sends FIN, which looks like a clean end: for bytes that are delimited by nothing
 * else, the end of the connection is the end of the message.
 */
export function reset(connection: Duplex): void {
  const isPlainSocket = connection instanceof Socket && !('encrypted' in connection);
  // A TLS socket cannot reset; but its clean end is a message, which destroy() does not send. And one that is not connected yet would
  // wait for that.
  if (isPlainSocket && !connection.connecting) connection.resetAndDestroy();
  // A stream that was ended would let its FIN go out first, unless it is destroyed with an error.
  else connection.destroy(new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the other side of the tunnel was lost'));
}

/** How it ended, seen from the side of the client, the near one. */
export type Ending =
  | { readonly kind: 'complete' }
  /** The client went away; the far connection was reset, so that the other end stops working too. */
  | { readonly kind: 'abandoned' }
  /** The far connection failed, or nothing moved; the client's was reset, so that it takes nothing for whole that is not. */
  | { readonly kind: 'cut'; readonly error: Error };

/**
 * Carries bytes both ways until both directions have ended; a half-close goes on as one. If either side fails, or no byte moves for
 * `idleTimeout` ms (0: no limit), both are reset.
 */
export function join(near: Connection, far: Connection, idleTimeout: number): Promise<Ending> {
  return new Promise((resolve) => {
    let open = 2;
    const breakOff = (ending: Ending): void => {
      resolve(ending);
      reset(near);
      reset(far);
    };
    const watch = (connection: Connection, fail: (error: Error) => void): void => {
      const onClose = (): void => {
        if (!connection.readableEnded || !connection.writableFinished) {
          fail(new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'a connection was closed before it had ended'));
        }
        open -= 1;
        if (open === 0) resolve({ kind: 'complete' });
      };
      connection.on('error', fail);
      if (connection.destroyed) onClose();
      else connection.once('close', onClose);
    };
    watch(near, () => breakOff({ kind: 'abandoned' }));
    watch(far, (error) => breakOff({ kind: 'cut', error }));
    near.setTimeout(0); // what a server has set for its requests would close the connection without a word
    // All bytes pass by either: one timer sees them.
    far.setTimeout(idleTimeout, () => {
      const error = new TunnelError('ERR_TUNNEL_IDLE_TIMEOUT', `no byte moved for ${idleTimeout} ms`);
      breakOff({ kind: 'cut', error });
    });
    near.pipe(far);
    far.pipe(near);
  });
}
