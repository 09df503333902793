// The sessions whose target refuses connections, by service. A target that is down fails fast, and fast answers attract requests. So its session is not
// chosen for that service, until a trial after a while. A request that finds the target down loses nothing: nothing was sent, and it goes elsewhere.

/** Milliseconds until the first try; twice as many after each that fails. */
const FIRST = 500;
const LONGEST = 30_000;

interface Refusal {
  pause: number;
  timer: NodeJS.Timeout | undefined;
}

export class Refusals<Session extends object> {
  readonly #bySession = new Map<Session, Map<string, Refusal>>();
  readonly #changed: (session: Session, service: string, refuses: boolean) => void;

  constructor(changed: (session: Session, service: string, refuses: boolean) => void) {
    this.#changed = changed;
  }

  refused(session: Session, service: string): void {
    const services = this.#bySession.get(session) ?? new Map<string, Refusal>();
    const refused = services.get(service) ?? { pause: FIRST / 2, timer: undefined };
    this.#bySession.set(session, services);
    services.set(service, refused);
    if (refused.timer !== undefined) return; // one of a burst
    refused.pause = Math.min(refused.pause * 2, LONGEST);
    this.#changed(session, service, true);
    refused.timer = setTimeout(() => {
      refused.timer = undefined;
      this.#changed(session, service, false);
    }, refused.pause).unref();
  }

  served(session: Session, service: string): void {
    if (this.#bySession.size === 0) return;
    const services = this.#bySession.get(session);
    const refusal = services?.get(service);
    if (services === undefined || refusal === undefined) return;
    clearTimeout(refusal.timer);
    services.delete(service);
    if (services.size === 0) this.#bySession.delete(session);
    if (refusal.timer !== undefined) this.#changed(session, service, false);
  }

  /** Services that are excluded now. */
  of(session: Session): readonly string[] {
    const services = [...(this.#bySession.get(session) ?? [])];
    return services.filter(([, { timer }]) => timer !== undefined).map(([service]) => service);
  }

  forget(session: Session): void {
    for (const { timer } of this.#bySession.get(session)?.values() ?? []) clearTimeout(timer);
    this.#bySession.delete(session);
  }

  close(): void {
    for (const session of [...this.#bySession.keys()]) this.forget(session);
  }
}
