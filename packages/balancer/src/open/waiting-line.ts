// The opens that wait until a session can serve them: first come, first served, among those that ask for the same. An open that asks for what
// nobody has holds up no other. It knows neither sessions nor what an open is; it is told when to look again, and looks once for
// everything that happened meanwhile.
import type { Clock } from '../clock.ts';

interface Waiter<Open> {
  readonly open: Open;
  readonly ticket: number;
  /** What the open asks for: whoever asks for the same is served in order. */
  readonly kind: string;
  /** It was given up by what was called to serve it. */
  abandoned: { readonly error: unknown } | undefined;
}

interface Port<Open> {
  readonly clock: Clock;
  /** Serves the open if a session can; false if none can. What it throws is the open's error. */
  serve(open: Open): boolean;
  /** The open waits no more and was not served. */
  rejected(open: Open, error: unknown): void;
  /** When time alone may bring a session back, later than now; Infinity: never. */
  nextChange(): number;
}

/** A place in the line, for whoever limits how long an open waits. */
interface Place {
  abandon(error: unknown): void;
}

export class WaitingLine<Open> {
  readonly #port: Port<Open>;
  #waiters: Waiter<Open>[] = [];
  /** How many wait for each kind. */
  readonly #kinds = new Map<string, number>();
  #tickets = 0;
  #isStale = false;
  #isScheduled = false;
  #isServing = false;
  /** The one that is being served: foreign code runs meanwhile. */
  #served: Waiter<Open> | undefined;
  #wakesAt = Infinity;
  #timer: unknown;

  constructor(port: Port<Open>) {
    this.#port = port;
  }

  get size(): number {
    return this.#waiters.length;
  }

  /** How many wait for that. */
  sizeOf(kind: string): number {
    return this.#kinds.get(kind) ?? 0;
  }

  /** The opens at the head of each kind, in order. */
  get heads(): { readonly open: Open; readonly waiting: number }[] {
    const seen = new Set<string>();
    return this.#waiters
      .filter(({ kind }) => !seen.has(kind) && seen.add(kind))
      .map(({ open, kind }) => ({ open, waiting: this.sizeOf(kind) }));
  }

  /** A number by which a later place in the line is as good as the first one was. */
  nextTicket(): number {
    this.#tickets += 1;
    return this.#tickets;
  }

  /** The open waits until it is served, or abandoned by its place. */
  join(open: Open, kind: string, ticket: number): Place {
    const waiter: Waiter<Open> = { open, kind, ticket, abandoned: undefined };
    let index = this.#waiters.length;
    while (index > 0 && (this.#waiters[index - 1] as Waiter<Open>).ticket > ticket) index -= 1;
    this.#waiters.splice(index, 0, waiter);
    this.#kinds.set(kind, this.sizeOf(kind) + 1);
    this.#arm();
    return { abandon: (error) => this.#abandon(waiter, error) };
  }

  /** A session may serve that could not before: looked at in a microtask, or by the next open, whichever is first. */
  wake(): void {
    if (this.#waiters.length === 0) return;
    this.#isStale = true;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.serve();
    });
  }

  /** Serves whom it can, in order, if anything has changed since it last looked. */
  serve(): void {
    if (!this.#isStale || this.#isServing) return;
    this.#isServing = true;
    this.#isStale = false;
    const blocked = new Set<string>();
    const waiters = this.#waiters;
    // No copy: an open that does not wait pays for this look, however many do.
    for (let index = 0; index < waiters.length && blocked.size < this.#kinds.size; ) {
      const waiter = waiters[index] as Waiter<Open>;
      if (!blocked.has(waiter.kind) && !this.#serve(waiter)) blocked.add(waiter.kind);
      // To the next by its number: whoever is served leaves the line, and what is called to serve it may take others out.
      index = Math.min(index + 1, waiters.length);
      while (index > 0 && (waiters[index - 1] as Waiter<Open>).ticket > waiter.ticket) index -= 1;
    }
    this.#isServing = false;
    this.#arm();
  }

  /** False if no session can. */
  #serve(waiter: Waiter<Open>): boolean {
    this.#served = waiter;
    try {
      if (this.#port.serve(waiter.open)) {
        this.#leave(waiter);
        return true;
      }
    } catch (error) {
      waiter.abandoned ??= { error };
    } finally {
      this.#served = undefined;
    }
    if (waiter.abandoned === undefined) return false;
    this.#abandon(waiter, waiter.abandoned.error);
    return true;
  }

  #abandon(waiter: Waiter<Open>, error: unknown): void {
    // Once it is served, its error is that of its attempt.
    if (waiter === this.#served) waiter.abandoned ??= { error };
    else if (this.#leave(waiter)) this.#port.rejected(waiter.open, error);
  }

  /** Each open that waits is rejected. */
  rejectAll(error: Error): void {
    for (const waiter of [...this.#waiters]) this.#abandon(waiter, error);
  }

  /** False if it does not wait any more. */
  #leave(waiter: Waiter<Open>): boolean {
    const index = this.#waiters.indexOf(waiter);
    if (index === -1) return false;
    this.#waiters.splice(index, 1);
    const left = this.sizeOf(waiter.kind) - 1;
    if (left > 0) this.#kinds.set(waiter.kind, left);
    else this.#kinds.delete(waiter.kind);
    if (this.#waiters.length === 0) this.#arm();
    return true;
  }

  /** One timer for all: for the time at which a session may come back by itself. */
  #arm(): void {
    const { clock } = this.#port;
    const at = this.#waiters.length === 0 ? Infinity : this.#port.nextChange();
    if (at === this.#wakesAt) return;
    if (this.#timer !== undefined) clock.clearTimeout(this.#timer);
    this.#wakesAt = at;
    this.#timer =
      at === Infinity
        ? undefined
        : clock.setTimeout(() => {
            this.#wakesAt = Infinity;
            this.#timer = undefined;
            this.#isStale = true;
            this.serve();
          }, at - clock.now());
  }
}
