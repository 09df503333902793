// Counts Yamux frames as messages of their tenant: one message may have thousands of empty frames. It counts from time to time, and only if messages have
// come, so that idle sessions cost nothing.
import type { AgentSession } from './routes.ts';
import type { Tenant, Tenants } from './tenants.ts';

/** So many frames cost as much as a message. */
const FRAMES = 10;

export class FrameToll {
  readonly #tenants: Tenants;
  readonly #frames = new WeakMap<AgentSession, number>();
  readonly #messages = new WeakMap<Tenant, number>();

  constructor(tenants: Tenants) {
    this.#tenants = tenants;
  }

  take(sessions: Iterable<AgentSession>): void {
    const active = new Set<Tenant>();
    for (const session of sessions) {
      const tenant = this.#tenants.of(session.claims.tenant);
      if (!active.has(tenant) && tenant.messageBudget.taken === this.#messages.get(tenant)) continue;
      active.add(tenant);
      const { framesReceived } = session.session.stats();
      const frames = framesReceived - (this.#frames.get(session) ?? 0);
      this.#frames.set(session, framesReceived);
      tenant.messageBudget.take(frames / FRAMES);
    }
    for (const tenant of active) this.#messages.set(tenant, tenant.messageBudget.taken);
  }
}
