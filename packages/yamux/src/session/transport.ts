// The Duplex below a session: what it tells, said once each, and how it is ended. Reading is never paused: windows bound what may come,
// and reading never waits for writing.

import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';

export interface TransportPort {
  received(chunk: Buffer): void;
  /** Nothing more will be received; the peer ended it, or it was destroyed. */
  ended(): void;
  failed(error: Error): void;
  closed(): void;
}

/** ms that a transport which was ended may take to close. */
const CLOSE_PATIENCE = 5000;

export class Transport {
  readonly duplex: Duplex;
  bytesReceived = 0;
  readonly #clock: Clock;
  readonly #port: TransportPort;
  #hasEnded = false;
  #patience: unknown;

  /** @throws {TypeError} if `duplex` is no Duplex of bytes. */
  constructor(duplex: Duplex, clock: Clock, port: TransportPort) {
    checkDuplex(duplex);
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

  /** Has been ended; is destroyed if it does not close in time. */
  closeWithin(error?: Error): void {
    if (this.duplex.closed) {
      process.nextTick(this.#onClose);
      return;
    }
    this.#patience = this.#clock.setTimeout(() => this.destroy(error), CLOSE_PATIENCE);
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
    this.#clock.clearTimeout(this.#patience);
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
    throw new TypeError(`Expected transport to be a Duplex, got ${nameOf(candidate)}`);
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
