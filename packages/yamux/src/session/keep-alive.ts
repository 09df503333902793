// Sends pings: at the start, after a second, then in every interval, also under traffic because they measure the round trip, and more often
// while a fast stream needs that measurement. A ping without an answer ends the session only if no byte moved in either direction meanwhile:
// a large body may be ahead of the ping or of the pong.

import type { Clock } from '../clock.ts';
import { YamuxError } from '../errors.ts';
import { IdleTimer } from '../idle-timer.ts';
import type { ResolvedOptions } from './options.ts';
import { Ping } from './ping.ts';
import { WaitingLine } from './waiting-line.ts';

export interface KeepAlivePort {
  sendPing(value: number): void;
  /** No byte moved for as long as a ping may take. */
  peerIsDead(): void;
}

/** Where it is read what moves below the session. All figures only grow. */
export interface LinkFigures {
  readonly bytesReceived: number;
  /** Bytes that the transport has let go, as far as can be seen. */
  readonly bytesDone: number;
  /** Bytes that the transport has taken, by whole batches; and where in them ends what is queued as control frames. */
  readonly bytesTaken: number;
  readonly controlEnd: number;
}

/** For each of these bytes sent since the last pong, the peer may be silent for one more keepAliveTimeout, up to the limit. */
const BYTES_A_TIMEOUT = 65_536;
const MOST_TIMEOUTS_MORE = 5;
/** ms after the first ping: the first one often measures the start of the connection rather than the path. */
const SECOND_PING_DELAY = 1000;

export class KeepAlive {
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #timeout: number;
  readonly #link: LinkFigures;
  readonly #port: KeepAlivePort;
  readonly #ping = new Ping();
  readonly #line = new WaitingLine<number>();
  #onRoundTrip: Array<() => void> = [];
  #onNextRoundTrip: Array<() => void> = [];
  /** Of the ping under way: where it ends in the bytes of the session, until the transport has taken it. */
  #untakenUntil: number | undefined;
  /** Where the ping under way, or the last one, ends in the bytes of the session; and the last one that was answered. */
  #sentUntil = 0;
  #answeredUntil = 0;
  /** In which nothing moved, of the ping under way. */
  #silentTimeouts = 0;
  #movedBefore = 0;
  #intervalTimer: unknown;
  /** Of the ping under way; undefined if it may take for ever. */
  readonly #patience: IdleTimer | undefined;

  constructor(options: ResolvedOptions, link: LinkFigures, port: KeepAlivePort) {
    this.#clock = options.clock;
    this.#interval = options.keepAliveInterval;
    this.#timeout = options.keepAliveTimeout;
    this.#link = link;
    this.#port = port;
    if (this.#timeout > 0) this.#patience = new IdleTimer(this.#clock, this.#timeout, () => this.#onTimeout());
  }

  get rtt(): number | undefined {
    return this.#ping.rtt;
  }

  /** Of the bytes of the session, those that the peer has had: its last pong says so. */
  get answeredUntil(): number {
    return this.#answeredUntil;
  }

  start(): void {
    if (this.#interval === 0) return;
    this.#send();
    this.#armInterval(Math.min(SECOND_PING_DELAY, this.#interval));
  }

  /** The round trip in ms; joins the ping under way if there is one. */
  ping(signal?: AbortSignal): Promise<number> {
    if (!this.#ping.isUnderWay && !signal?.aborted) this.#send();
    return this.#line.wait(signal);
  }

  /** One more ping, for the round trip; none with an interval of 0, or while one is under way. */
  measure(): void {
    if (this.#interval > 0 && !this.#ping.isUnderWay) this.#send();
  }

  /** Calls back, from within pong(), when the peer has seen all that was sent before this call. */
  afterRoundTrip(callback: () => void): void {
    this.#onNextRoundTrip.push(callback);
    if (!this.#ping.isUnderWay) this.#send();
  }

  pong(value: number): void {
    const roundTrip = this.#ping.pong(value, this.#clock.now());
    if (roundTrip === undefined) return;
    this.#patience?.stop();
    this.#answeredUntil = this.#sentUntil;
    const callbacks = this.#onRoundTrip;
    this.#onRoundTrip = [];
    for (const callback of callbacks) callback();
    this.#line.serveAll(roundTrip);
    if (this.#onNextRoundTrip.length > 0) this.#send();
  }

  stop(error: Error): void {
    this.#clock.clearTimeout(this.#intervalTimer);
    this.#patience?.stop();
    this.#ping.abandon();
    this.#onRoundTrip = [];
    this.#onNextRoundTrip = [];
    this.#line.failAll(error);
  }

  /** The transport took something. */
  progressed(): void {
    if (this.#untakenUntil === undefined || this.#link.bytesTaken < this.#untakenUntil) return;
    // From here on the peer may be waited for.
    this.#untakenUntil = undefined;
    this.#movedBefore = this.#moved;
    if (this.#ping.isUnderWay) this.#patience?.touch();
  }

  /** Grows with every byte that moves, in either direction. */
  get #moved(): number {
    return this.#link.bytesReceived + this.#link.bytesDone;
  }

  #send(): void {
    this.#onRoundTrip.push(...this.#onNextRoundTrip);
    this.#onNextRoundTrip = [];
    this.#port.sendPing(this.#ping.begin(this.#clock.now()));
    this.#sentUntil = this.#link.controlEnd;
    this.#silentTimeouts = 0;
    this.#untakenUntil = this.#sentUntil;
    this.#movedBefore = this.#moved;
    this.#patience?.touch();
  }

  #armInterval(ms: number): void {
    this.#intervalTimer = this.#clock.setTimeout(this.#onInterval, ms);
  }

  readonly #onInterval = (): void => {
    this.#armInterval(this.#interval);
    if (!this.#ping.isUnderWay) this.#send();
  };

  #onTimeout(): void {
    this.progressed();
    if (this.#untakenUntil !== undefined) {
      // The ping still waits on this side. writeTimeout decides whether the transport makes progress.
      this.#patience?.touch();
      return;
    }
    const message = `The peer did not answer a ping within ${this.#timeout} ms (keepAliveTimeout)`;
    this.#line.failAll(new YamuxError('ERR_YAMUX_PING_TIMEOUT', message, { scope: 'session', origin: 'remote' }));
    const isSilent = this.#interval > 0 && this.#moved === this.#movedBefore;
    if (isSilent && this.#silentTimeouts < this.#timeoutsMore) {
      this.#silentTimeouts += 1;
      this.#patience?.touch();
      return;
    }
    this.#ping.abandon();
    if (isSilent) {
      this.#port.peerIsDead();
    } else if (this.#onRoundTrip.length + this.#onNextRoundTrip.length > 0) {
      this.#send();
    }
  }

  /** Buffers below take at once what a slow link carries in minutes. Their content cannot be seen and is ahead of the ping. */
  get #timeoutsMore(): number {
    const bytes = this.#sentUntil - this.#answeredUntil;
    return Math.min(Math.floor(bytes / BYTES_A_TIMEOUT), MOST_TIMEOUTS_MORE);
  }
}
