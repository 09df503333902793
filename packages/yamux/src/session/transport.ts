// The Duplex below a session: what it tells, said once each, and how it is ended. Reading is never paused: windows bound what may come,
// and reading never waits for writing.

import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import { StallTimer, type TransportFigures } from './stall-timer.ts';

export interface TransportPort {
  received(chunk: Buffer): void;
  /** Nothing more will be received: the peer has ended the transport, or it was destroyed. */
  ended(): void;
  failed(error: Error): void;
  closed(): void;
}

/** ms that a transport which was ended may make no progress; as long again for each so many bytes that the peer may not have had yet. */
const CLOSE_TIMEOUT = 5000;
const BYTES_A_CLOSE_TIMEOUT = 32_768;
/** ms: the longest that a transport which was ended may make no progress, however slow its link. */
export const LONGEST_CLOSE_TIMEOUT = 60_000;
/** Bytes: a transport that takes whole chunks shows no progress within one. */
const LARGEST_CHUNK = 65_536;

/** Marks a transport that is used by a session. All copies of this package know the mark. */
const CARRIES_SESSION: unique symbol = Symbol.for('@zishuo/yamux:carries-session');

export class Transport {
  readonly duplex: Duplex;
  bytesReceived = 0;
  readonly #clock: Clock;
  readonly #port: TransportPort;
  #hasEnded = false;
  #patience: StallTimer | undefined;
  #deadline: unknown;

  /** @throws {TypeError} if `duplex` is not a Duplex of bytes. */
  constructor(duplex: Duplex, clock: Clock, port: TransportPort) {
    checkDuplex(duplex);
    claim(duplex);
    this.duplex = duplex;
    this.#clock = clock;
    this.#port = port;
    // Frames already leave in batches; Nagle's algorithm would hold a small one back for the peer's delayed ACK, 40 ms.
    (duplex as { setNoDelay?: (noDelay: boolean) => void }).setNoDelay?.(true);
    duplex.on('data', this.#onData);
    duplex.on('end', this.#onEnd);
    duplex.on('error', this.#onError);
    duplex.on('close', this.#onClose);
    if (duplex.destroyed || duplex.readableEnded) process.nextTick(this.#onEnd);
    // A 'data' listener does not start a stream that was paused by hand.
    else duplex.resume();
  }

  /**
   * Has been ended: `onStall` if it then makes no progress for five seconds, or as long as `pace` would take for a frame, but no longer than a
   * minute: who reads slowly once does not decide how long we wait. `unanswered` bytes may be in the buffers below, of which nothing is
   * seen: a connection that is destroyed before the peer has read them answers the peer's next frame by a reset, and they are lost. A
   * transport with a numeric `closeTimeout`, which watches its own end, hears of it.
   */
  closeWithin(progress: TransportFigures & { readonly pace: number }, unanswered: number, onStall: () => void): void {
    if (this.duplex.closed) {
      process.nextTick(this.#onClose);
      return;
    }
    const periods = 1 + Math.floor(unanswered / BYTES_A_CLOSE_TIMEOUT);
    const forFrame = 2 * (LARGEST_CHUNK / progress.pace);
    const patience = Math.min(Math.max(periods * CLOSE_TIMEOUT, forFrame), LONGEST_CLOSE_TIMEOUT);
    const watched = this.duplex as { closeTimeout?: unknown };
    if (typeof watched.closeTimeout === 'number') {
      const longer = Math.min(periods * watched.closeTimeout, LONGEST_CLOSE_TIMEOUT);
      watched.closeTimeout = Math.max(watched.closeTimeout, longer);
    }
    this.#patience = new StallTimer(this.#clock, patience, progress, onStall);
    this.#patience.touch();
  }

  /** Ended with an error: `onTimeout` after five seconds in all, because a peer could keep it open by taking a byte from time to time. */
  closeSoon(onTimeout: () => void): void {
    this.#deadline = this.#clock.setTimeout(onTimeout, CLOSE_TIMEOUT);
    if (this.duplex.closed) process.nextTick(this.#onClose);
  }

  /** While it is waited for: it took something. */
  progressed(): void {
    this.#patience?.touch();
  }

  destroy(error?: Error): void {
    this.duplex.destroy(error);
    // A stream that was made without emitClose never tells.
    setImmediate(this.#onClose);
  }

  ref(): void {
    (this.duplex as { ref?: () => void }).ref?.();
  }

  unref(): void {
    (this.duplex as { unref?: () => void }).unref?.();
  }

  readonly #onData = (chunk: unknown): void => {
    if (chunk instanceof Uint8Array) {
      this.bytesReceived += chunk.length;
      const { buffer, byteOffset, byteLength } = chunk;
      this.#port.received(Buffer.isBuffer(chunk) ? chunk : Buffer.from(buffer, byteOffset, byteLength));
    } else {
      this.#onError(
        new TypeError(`Expected the transport to deliver bytes, got ${typeof chunk}; does it have an encoding?`),
      );
    }
  };

  readonly #onEnd = (): void => {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#port.ended();
  };

  readonly #onError = (error: Error): void => {
    this.#hasEnded = true;
    this.#port.failed(error);
  };

  readonly #onClose = (): void => {
    this.#patience?.stop();
    this.#patience = undefined;
    this.#clock.clearTimeout(this.#deadline);
    this.duplex.off('data', this.#onData);
    this.duplex.off('end', this.#onEnd);
    this.duplex.off('close', this.#onClose);
    // The 'error' listener stays: an error that comes after the end must not become an uncaught exception.
    this.#onEnd();
    this.#port.closed();
  };
}

function checkDuplex(duplex: Duplex): void {
  const candidate = duplex as Partial<Duplex> | null | undefined;
  if (
    typeof candidate?.write !== 'function' ||
    typeof candidate.on !== 'function' ||
    typeof candidate.cork !== 'function'
  ) {
    throw new TypeError(`Expected transport to be a Duplex, got ${nameOf(candidate)}${adviceFor(candidate)}`);
  }
  if (candidate.readableObjectMode || candidate.writableObjectMode) {
    throw new TypeError('Expected transport to be a Duplex of bytes, got one in object mode');
  }
}

function nameOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value;
  const { constructor: maker } = value as { readonly constructor?: { readonly name: string } };
  return `an object of ${maker?.name ?? 'no class'}`;
}

function adviceFor(value: unknown): string {
  if (typeof value === 'string' || value instanceof URL) {
    return ': connect first, by net.connect(), or by dial() of @zishuo/yamux-websocket';
  }
  const { send, close, open, accept } = (value ?? {}) as Partial<Record<string, unknown>>;
  if (typeof open === 'function' && typeof accept === 'function')
    return ': it is a session already, open streams on it';
  if (typeof send === 'function' && typeof close === 'function') {
    return ': a WebSocket carries messages; use client() and server() of @zishuo/yamux-websocket';
  }
  return '';
}

function claim(duplex: Duplex & { [CARRIES_SESSION]?: boolean }): void {
  if (duplex[CARRIES_SESSION]) {
    throw new TypeError(
      'Expected a transport of its own for each session: this one carries a session already, open streams on that',
    );
  }
  Object.defineProperty(duplex, CARRIES_SESSION, { value: true });
}
