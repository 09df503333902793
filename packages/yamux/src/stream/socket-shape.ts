// The members of a net.Socket that node:http, node:tls and people's code expect of a connection, on a Duplex. Knows nothing of frames.

import { Duplex } from 'node:stream';
import { type Clock, checkDelay } from '../clock.ts';
import { IdleTimer } from '../idle-timer.ts';

/** Node counts both sides' buffers in these; the windows bound what a peer can make us hold, whatever they say. */
const HIGH_WATER_MARK = 65_536;

export abstract class SocketShape extends Duplex {
  readonly #clock: Clock;
  readonly #transport: Partial<Record<string, unknown>>;
  #idle: IdleTimer | undefined;
  /** Milliseconds set by setTimeout(), 0 without. */
  timeout = 0;

  protected constructor(clock: Clock, transport: object) {
    super({ highWaterMark: HIGH_WATER_MARK });
    this.#clock = clock;
    this.#transport = transport as Partial<Record<string, unknown>>;
  }

  /**
   * Emits 'timeout' after `ms` milliseconds without a byte in either direction, as on a net.Socket: the stream itself lives on. 0
   * turns it off.
   *
   * @throws {RangeError} if `ms` is not from 0 to 2^31-1.
   */
  setTimeout(ms: number, callback?: () => void): this {
    checkDelay('ms', ms);
    this.stopIdle();
    this.timeout = ms;
    if (ms > 0) {
      this.#idle = new IdleTimer(this.#clock, ms, () => this.emit('timeout'));
      if (!this.destroyed) this.#idle.touch();
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

  /** What node:http calls on a socket when the response is out: end(), then destroy(). */
  destroySoon(): void {
    if (this.writable) this.end();
    this.destroy();
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
