// What the tunnel does with whole connections, sockets and streams alike: break them off so that the other end sees it, and join two.
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TunnelError } from '../errors.ts';
import { wasBrokenOff } from './socket-end.ts';
import { WebSocketFrames } from './websocket-frames.ts';

/** A net.Socket or a YamuxStream, which is shaped like one. */
export interface Connection extends Duplex {
  setTimeout(milliseconds: number, callback?: () => void): unknown;
  destroySoon(): void;
}

/** What a socket that is not connected yet emits when it is, with TLS and all. */
export function connectEvent(socket: Duplex): 'connect' | 'secureConnect' {
  return 'encrypted' in socket ? 'secureConnect' : 'connect';
}

/**
 * Milliseconds between the last bytes and a reset. Where both come in one poll, a reset looks like an end to a client on libuv, which is what
 * it must not look like.
 */
const BEHIND_BYTES = 25;
const resetting = new WeakSet<Socket>();

/**
 * Breaks it off, with RST. A plain destroy() of a socket sends FIN, which looks like a clean end: for bytes that are delimited by nothing
 * else, the end of the connection is the end of the message.
 */
export function reset(connection: Duplex): void {
  if (connection instanceof Socket && !('encrypted' in connection)) {
    if (connection.bytesWritten === 0 || connection.connecting) resetNow(connection);
    else if (!resetting.has(connection)) {
      resetting.add(connection);
      const timer = setTimeout(() => resetNow(connection), BEHIND_BYTES);
      connection.once('close', () => clearTimeout(timer));
    }
    return;
  }
  // A TLS socket cannot reset; but its clean end is a message, which destroy() does not send.
  // A stream that was ended would let its FIN go out first, unless it is destroyed with an error.
  connection.destroy(new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the other side of the tunnel was lost'));
}

function resetNow(socket: Socket): void {
  // A socket that is not connected yet would wait for that; and one whose FIN is on its way cannot be reset any more: the system refuses,
  // node:net has let go of the handle by then, and the descriptor would stay for ever.
  const isEnding = socket.writableEnded && !socket.writableFinished;
  if (socket.connecting || isEnding) socket.destroy();
  else socket.resetAndDestroy();
}

/** How it ended, seen from the side of the client, the near one. */
export type Ending =
  | { readonly kind: 'complete' }
  /** The client went away; the far connection was reset, so that the other end stops working too. */
  | { readonly kind: 'abandoned' }
  /** The far connection failed, or nothing moved; the client's was reset, so that it takes nothing for whole that is not. */
  | { readonly kind: 'cut'; readonly error: Error };

export interface Joined {
  readonly ended: Promise<Ending>;
  /**
   * Asks both ends to close, where they speak a protocol that has a word for it: WebSocket close frames with 1001. False where they do not.
   */
  sendAway(): boolean;
}

/** Milliseconds for the closing handshake of a WebSocket that was sent away. */
const CLOSING = 1_000;
const NOTHING = Buffer.alloc(0);

/**
 * Carries bytes both ways until both directions have ended; a half-close goes on as one. If either side fails, or no byte moves for
 * `idleTimeout` ms (0: no limit), both are reset.
 */
export function join(near: Connection, far: Connection, idleTimeout: number, isWebSocket = false): Joined {
  let settle!: (ending: Ending) => void;
  const ended = new Promise<Ending>((resolve) => {
    settle = resolve;
  });
  let open = 2;
  const breakOff = (ending: Ending): void => {
    settle(ending);
    reset(near);
    reset(far);
  };
  const watch = (connection: Connection, fail: (error: Error) => void): void => {
    const onClose = (): void => {
      if (!connection.readableEnded || !connection.writableFinished) fail(lost());
      open -= 1;
      if (open === 0) settle({ kind: 'complete' });
    };
    connection.on('error', fail);
    if (connection.destroyed) onClose();
    else connection.once('close', onClose);
  };
  const failNear = (): void => breakOff({ kind: 'abandoned' });
  const failFar = (error: Error): void => breakOff({ kind: 'cut', error });
  watch(near, failNear);
  watch(far, failFar);
  near.setTimeout(0); // what a server has set for its requests would close the connection without a word
  // All bytes pass by either: one timer sees them.
  far.setTimeout(idleTimeout, () => {
    failFar(new TunnelError('ERR_TUNNEL_IDLE_TIMEOUT', `no byte moved for ${idleTimeout} ms`));
  });
  const [up, down] = isWebSocket ? [new WebSocketFrames(true), new WebSocketFrames(false)] : [];
  carry(near, far, up, failNear);
  carry(far, near, down, () => failFar(lost()));
  return {
    ended,
    sendAway() {
      if (up === undefined || down === undefined) return false;
      const timer = setTimeout(() => breakOff({ kind: 'cut', error: lost() }), CLOSING);
      void ended.then(() => clearTimeout(timer));
      up.sendAway(far);
      down.sendAway(near);
      return true;
    },
  };
}

/** One direction. `broken` is told when what looks like the end of `from` is none. */
function carry(from: Connection, to: Connection, frames: WebSocketFrames | undefined, broken: () => void): void {
  from.on('data', (chunk: Buffer) => {
    if (to.destroyed || to.writableEnded) return;
    const goesOn = frames === undefined ? to.write(chunk) : frames.pass(chunk, to);
    if (!goesOn) from.pause();
  });
  to.on('drain', () => from.resume());
  const onEnd = (): void => {
    if (wasBrokenOff(from)) broken();
    else if (from instanceof Socket && from.writable && !('encrypted' in from)) {
      // A reset behind the last bytes looks like an end, too. It fails the next write, and be it one of nothing.
      from.write(NOTHING, (error) => (error ? broken() : to.end()));
    } else to.end();
  };
  if (from.readableEnded) process.nextTick(onEnd);
  else from.on('end', onEnd);
  from.resume();
}

function lost(): TunnelError {
  return new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'a connection was closed before it had ended');
}
