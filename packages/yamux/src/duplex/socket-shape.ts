// The members of a net.Socket that node:http, node:tls and applications expect of a connection, on a Duplex. Does not know frames.

import { Duplex } from 'node:stream';
import { type Clock, timerDelay } from '../clock.ts';
import { IdleTimer } from '../idle-timer.ts';

/** highWaterMark of both sides. The receive windows, not these values, limit the bytes that a peer can make us hold. */
const HIGH_WATER_MARK = 65_536;

/** The facts that all streams of one session share. */
export interface SocketContext {
  readonly clock: Clock;
  /** The transport, which has the addresses. */
  readonly transport: object;
}

export abstract class SocketShape extends Duplex {
  readonly #clock: Clock;
  readonly #transport: Partial<Record<string, unknown>>;
  #idle: IdleTimer | undefined;
  /** Milliseconds set by setTimeout(); undefined before, as on a net.Socket. */
  timeout: number | undefined;

  protected constructor({ clock, transport }: SocketContext, allowHalfOpen: boolean) {
    // Node's own 'close' has no hadError argument. tellDestroyed() emits 'close' with it.
    super({ highWaterMark: HIGH_WATER_MARK, allowHalfOpen, emitClose: false });
    this.#clock = clock;
    this.#transport = transport as Partial<Record<string, unknown>>;
  }

  /** Whether the stream has not been opened yet. */
  abstract get connecting(): boolean;

  /** Ends both directions at once, with RST: the peer can distinguish this from FIN. */
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
   * Emits 'timeout' after `ms` milliseconds without a byte in either direction, as on a net.Socket. The stream stays open. 0 turns the
   * timeout off. A value above 2^31-1, the limit of Node's timers, is reduced to that, with a process warning.
   *
   * @throws {TypeError} if `ms` is not a number, or `callback` not a function.
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

  /** Called when a byte was sent or received. */
  protected touchIdle(): void {
    this.#idle?.touch();
  }

  protected stopIdle(): void {
    this.#idle?.stop();
    this.#idle = undefined;
  }

  /** Called at the end of _destroy(): emits 'close', with hadError, after the 'error' that Node emits on the next tick. */
  protected tellDestroyed(error: Error | null, callback: (error: Error | null) => void): void {
    callback(error);
    process.nextTick(() => this.emit('close', error !== null));
  }

  /** Calls end(), and destroy() after 'finish'. node:http calls this after its last response. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  /** Does nothing: frames of one tick are sent together, and nothing is delayed for more. */
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

  /** The local address, family and port of the transport; an empty object if it has none. */
  address(): object {
    const { localAddress: address, localFamily: family, localPort: port } = this;
    return address === undefined ? {} : { address, family, port };
  }

  /** The value of the transport, as for the five other addresses; undefined if it has none. */
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
