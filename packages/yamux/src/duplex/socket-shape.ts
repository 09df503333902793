// The members of a net.Socket that node:http, node:tls and people's code expect of a connection, on a Duplex. Knows nothing of frames.

import { Duplex } from 'node:stream';
import { type Clock, timerDelay } from '../clock.ts';
import { IdleTimer } from '../idle-timer.ts';

/** Node counts both sides' buffers in these; the windows bound what a peer can make us hold, whatever they say. */
const HIGH_WATER_MARK = 65_536;

/** What all sockets of one session share. */
export interface SocketContext {
  readonly clock: Clock;
  /** Where the addresses of the other end are read. */
  readonly transport: object;
}

export abstract class SocketShape extends Duplex {
  readonly #clock: Clock;
  readonly #transport: Partial<Record<string, unknown>>;
  #idle: IdleTimer | undefined;
  /** Milliseconds set by setTimeout(); undefined before, as on a net.Socket. */
  timeout: number | undefined;

  protected constructor({ clock, transport }: SocketContext, allowHalfOpen: boolean) {
    // Node's own 'close' would not say whether an error was the cause: tellDestroyed() does.
    super({ highWaterMark: HIGH_WATER_MARK, allowHalfOpen, emitClose: false });
    this.#clock = clock;
    this.#transport = transport as Partial<Record<string, unknown>>;
  }

  /** Whether it is still to be opened. */
  abstract get connecting(): boolean;

  /** Ends both directions at once, and the other end can tell that from an end. */
  abstract resetAndDestroy(): this;

  /** As on a net.Socket: not usable yet, or not any more. */
  get pending(): boolean {
    return this.connecting || this.destroyed;
  }

  /** As on a net.Socket. */
  get readyState(): 'opening' | 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    if (this.connecting) return 'opening';
    if (this.readable) return this.writable ? 'open' : 'readOnly';
    return this.writable ? 'writeOnly' : 'closed';
  }

  /**
   * Emits 'timeout' after `ms` milliseconds without a byte in either direction, as on a net.Socket: the stream itself lives on. 0
   * turns it off. More than a timer can take, 2^31-1, is cut to that, with a process warning.
   *
   * @throws {TypeError} if `ms` is no number, or `callback` no function.
   * @throws {RangeError} if `ms` is negative or not finite.
   */
  setTimeout(ms: number, callback?: () => void): this {
    if (this.destroyed) return this;
    const delay = timerDelay('ms', ms);
    if (callback !== undefined && typeof callback !== 'function') {
      throw new TypeError(`Expected callback to be a function, got ${typeof callback}`);
    }
    this.stopIdle();
    this.timeout = ms;
    if (delay > 0) {
      this.#idle = new IdleTimer(this.#clock, delay, () => this.emit('timeout'));
      this.#idle.touch();
      if (callback) this.once('timeout', callback);
    } else if (callback) {
      this.removeListener('timeout', callback);
    }
    return this;
  }

  /** A byte moved. */
  protected touchIdle(): void {
    this.#idle?.touch();
  }

  protected stopIdle(): void {
    this.#idle?.stop();
    this.#idle = undefined;
  }

  /** The end of _destroy(): behind the 'error', which Node emits on the next tick, comes 'close', and says whether there was one. */
  protected tellDestroyed(error: Error | null, callback: (error: Error | null) => void): void {
    callback(error);
    process.nextTick(() => this.emit('close', error !== null));
  }

  /** What node:http calls on a socket behind its last response: end(), and destroy() when that is out. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Does nothing: frames of one tick leave together, and nothing waits for more. */
  setNoDelay(_noDelay?: boolean): this {
    return this;
  }

  /** Does nothing: the session keeps the connection alive. */
  setKeepAlive(_enable?: boolean, _initialDelay?: number): this {
    return this;
  }

  /** Does nothing: see YamuxSession.ref(). */
  ref(): this {
    return this;
  }

  /** Does nothing: see YamuxSession.unref(). */
  unref(): this {
    return this;
  }

  /** The transport's: its local address, family and port; an empty object where it has none. */
  address(): object {
    const { localAddress: address, localFamily: family, localPort: port } = this;
    return address === undefined ? {} : { address, family, port };
  }

  /** The transport's, as are the five others; undefined where it has none. */
  get remoteAddress(): string | undefined {
    return this.#transport.remoteAddress as string | undefined;
  }

  /** The transport's. */
  get remotePort(): number | undefined {
    return this.#transport.remotePort as number | undefined;
  }

  /** The transport's. */
  get remoteFamily(): string | undefined {
    return this.#transport.remoteFamily as string | undefined;
  }

  /** The transport's. */
  get localAddress(): string | undefined {
    return this.#transport.localAddress as string | undefined;
  }

  /** The transport's. */
  get localPort(): number | undefined {
    return this.#transport.localPort as number | undefined;
  }

  /** The transport's. */
  get localFamily(): string | undefined {
    return this.#transport.localFamily as string | undefined;
  }
}
