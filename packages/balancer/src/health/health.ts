// Whether one session may be trusted with streams, and how one that failed finds back. Pure: a function of what happened and when, whoever
// looks at it how often.
//
//     healthy ──threshold failures in a row──▶ resting ──its time has come──▶ pinged ──pong──▶ proved ──an open──▶ trial
//        ▲                                        ▲                             │no pong         ▲                   │ │
//        │                                        └─────────interval × 2────────┴────────────────┼───────────────fails │
//        └──────────────────────────────────────────────────────acknowledged─────────────────────┴────inconclusive────┘
//
// An outlier rests too, by word of the others' health. A session without ping(), or without another to serve meanwhile, goes from resting to trial at once.

export interface HealthRules {
  /** Failures in a row that make a session unhealthy; Infinity: none do. */
  readonly threshold: number;
  /** Milliseconds of rest after that; doubled by each probe that fails. */
  readonly probeInterval: number;
  /** Milliseconds that a ping or a trial may take. */
  readonly probeTimeout: number;
}

type Phase = 'healthy' | 'resting' | 'pinged' | 'proved' | 'trial';

/** Resting grows to five minutes, unless the interval itself is longer. */
const MAX_INTERVAL = 300_000;

export class Health {
  readonly #rules: HealthRules;
  #phase: Phase = 'healthy';
  #epoch = 0;
  #failures = 0;
  #interval: number;
  /** Resting: until when. Pinged and on trial: by when. */
  #due = 0;
  /** On trial: whether anything was received, where bytes are all that can tell of an answer. */
  #hasReceived: (() => boolean) | undefined;

  constructor(rules: HealthRules) {
    this.#rules = rules;
    this.#interval = rules.probeInterval;
  }

  get healthy(): boolean {
    return this.#phase === 'healthy';
  }

  /** Names the time that an attempt began in: what it comes to counts only while this is still the same. */
  get epoch(): number {
    return this.#epoch;
  }

  /** In a row. */
  get failures(): number {
    return this.#failures;
  }

  /** When a resting session may be probed. */
  nextProbeAt(now: number): number | undefined {
    this.#tick(now);
    return this.#phase === 'resting' ? this.#due : undefined;
  }

  /** Its rest is over, or a probe is under way. */
  isProbing(now: number): boolean {
    this.#tick(now);
    return !this.healthy && (this.#phase !== 'resting' || now >= this.#due);
  }

  /** The peer has answered an attempt. True if that made the session healthy. */
  succeeded(epoch: number, now: number): boolean {
    this.#tick(now);
    if (epoch !== this.#epoch) return false;
    this.#failures = 0;
    if (this.healthy) return false;
    this.#phase = 'healthy';
    this.#hasReceived = undefined;
    this.#interval = this.#rules.probeInterval;
    return true;
  }

  /** An attempt has failed. True if that made the session unhealthy. */
  failed(epoch: number, now: number): boolean {
    this.#tick(now);
    if (epoch !== this.#epoch) return false;
    this.#failures += 1;
    if (!this.healthy) {
      this.#probeFailed(now);
      return false;
    }
    if (this.#failures < this.#rules.threshold) return false;
    this.#rest(now);
    return true;
  }

  /** It does far worse than others: it rests for so long, and has to prove itself after that. */
  ejected(ms: number, now: number): void {
    this.#enter('resting');
    this.#due = now + ms;
  }

  /** A trial was refused: no failure of a healthy session, but no recovery either. */
  refused(epoch: number, now: number): void {
    this.#tick(now);
    if (epoch === this.#epoch && this.#phase === 'trial') this.#probeFailed(now);
  }

  /** A trial's user ended it before the peer could answer: the next open tries again. True if there was one. */
  inconclusive(epoch: number, now: number): boolean {
    this.#tick(now);
    if (epoch !== this.#epoch || this.#phase !== 'trial') return false;
    this.#enter('proved');
    return true;
  }

  /** Nothing tells when the attempt is answered; `hasReceived` tells whether it was. */
  awaitBytes(epoch: number, hasReceived: () => boolean): void {
    if (epoch === this.#epoch && this.#phase === 'trial') this.#hasReceived = hasReceived;
  }

  /** The trial was answered by bytes, which is as good as an acknowledgement and not yet taken for one. */
  get hasBytes(): boolean {
    return this.#hasReceived?.() === true;
  }

  /** Until then time changes nothing, and no probe is due. */
  get quietUntil(): number {
    if (this.healthy) return Infinity;
    return this.#phase === 'proved' || this.#hasReceived !== undefined ? -Infinity : this.#due;
  }

  /** When time alone changes it next: its rest ends, or a probe has taken too long. */
  get due(): number {
    return this.healthy || this.#phase === 'proved' ? Infinity : this.#due;
  }

  /** Its rest is over, and nothing has been done about it. */
  mayBePinged(now: number): boolean {
    this.#tick(now);
    return this.#phase === 'resting' && now >= this.#due;
  }

  /** Returns the epoch that `ponged` or `failed` is to be called with. */
  pinged(now: number): number {
    this.#enter('pinged');
    this.#due = now + this.#rules.probeTimeout;
    return this.#epoch;
  }

  ponged(epoch: number, now: number): void {
    this.#tick(now);
    if (epoch === this.#epoch && this.#phase === 'pinged') this.#enter('proved');
  }

  /** Its ping was answered: the next open may be its trial, though others could serve it. */
  get proved(): boolean {
    return this.#phase === 'proved';
  }

  /** An open that nobody else can serve may be the trial. */
  mayBeginTrial(now: number): boolean {
    return this.isProbing(now) && this.#phase !== 'trial';
  }

  /** The attempt that begins next is the trial. */
  beginTrial(now: number): void {
    this.#enter('trial');
    this.#due = now + this.#rules.probeTimeout;
  }

  /** A probe that takes too long has failed at its time, though it be noticed later. */
  #tick(now: number): void {
    const isTimed = this.#phase === 'pinged' || this.#phase === 'trial';
    if (isTimed && now >= this.#due && !this.hasBytes) this.#probeFailed(this.#due);
  }

  #probeFailed(now: number): void {
    this.#interval = Math.min(this.#interval * 2, Math.max(MAX_INTERVAL, this.#rules.probeInterval));
    this.#rest(now);
  }

  #rest(now: number): void {
    this.#enter('resting');
    this.#due = now + this.#interval;
  }

  /** Whatever began before changes nothing any more. */
  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#hasReceived = undefined;
    this.#epoch += 1;
  }
}
