// Pings: at the start, after a second, then in every interval, under traffic too, since they also measure the path; and more of them while
// a fast stream needs to know how long the path is. A ping that stays unanswered means death only if no byte at all came meanwhile: a large
// body may stand before the pong.

import type { Clock } from '../clock.ts';
import { YamuxError } from '../errors.ts';
import { IdleTimer } from '../idle-timer.ts';
import type { ResolvedOptions } from './options.ts';
import { Ping } from './ping.ts';
import { WaitingLine } from './waiting-line.ts';

export interface KeepAlivePort {
  sendPing(value: number): void;
  /** No byte came for as long as a ping may take. */
  peerIsDead(): void;
}

/** ms after the first ping: the first one often measures the start of the connection rather than the path. */
const SECOND_PING_DELAY = 1000;

export class KeepAlive {
  readonly #clock: Clock;
  readonly #interval: number;
  readonly #timeout: number;
  readonly #received: { readonly bytesReceived: number };
  readonly #port: KeepAlivePort;
  readonly #ping = new Ping();
  readonly #line = new WaitingLine<number>();
  #onRoundTrip: Array<() => void> = [];
  #onNextRoundTrip: Array<() => void> = [];
  #bytesBefore = 0;
  #intervalTimer: unknown;
  /** Of the ping under way; undefined if it may take for ever. */
  readonly #patience: IdleTimer | undefined;

  /** `received`: where it is read whether anything came. */
  constructor(options: ResolvedOptions, received: { readonly bytesReceived: number }, port: KeepAlivePort) {
    this.#clock = options.clock;
    this.#interval = options.keepAliveInterval;
    this.#timeout = options.keepAliveTimeout;
    this.#received = received;
    this.#port = port;
    if (this.#timeout > 0) this.#patience = new IdleTimer(this.#clock, this.#timeout, () => this.#onTimeout());
  }

  get rtt(): number | undefined {
    return this.#ping.rtt;
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
    const callbacks = this.#onRoundTrip;
    this.#onRoundTrip = [];
    for (const callback of callbacks) callback();
    this.#line.serveAll(roundTrip);
    if (this.#onNextRoundTrip.length > 0) this.#send();
  }

  stop(error: Error): void {
    this.#clock.clearTimeout(this.#intervalTimer);
    this.#patience?.stop();
    this.#onRoundTrip = [];
    this.#onNextRoundTrip = [];
    this.#line.failAll(error);
  }

  #send(): void {
    this.#onRoundTrip.push(...this.#onNextRoundTrip);
    this.#onNextRoundTrip = [];
    this.#bytesBefore = this.#received.bytesReceived;
    this.#port.sendPing(this.#ping.begin(this.#clock.now()));
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
    this.#ping.abandon();
    const message = `The peer did not answer a ping within ${this.#timeout} ms (keepAliveTimeout)`;
    this.#line.failAll(new YamuxError('ERR_YAMUX_PING_TIMEOUT', message, { scope: 'session', origin: 'remote' }));
    if (this.#interval > 0 && this.#received.bytesReceived === this.#bytesBefore) {
      this.#port.peerIsDead();
    } else if (this.#onRoundTrip.length + this.#onNextRoundTrip.length > 0) {
      this.#send();
    }
  }
}
