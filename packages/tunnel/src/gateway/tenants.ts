// The usage and the limits of each tenant at this gateway: sessions, names, requests, dials, memory. A tenant at its limits does not affect others. A tenant
// stays known after its last session, or a new session would give it new budgets. Only signed tokens add tenants.
import { WindowBudget } from '@zishuo/yamux';
import { MessageBudget } from '@zishuo/yamux-websocket';
import { parseRoute } from '../http/route.ts';
import { isTcpService } from '../tcp-service.ts';
import type { AgentClaims } from '../token.ts';
import { DialRate } from './dial-rate.ts';

export interface TenantLimits {
  readonly maxSessionsPerTenant: number;
  readonly maxRequestsPerTenant: number;
  /** Bytes. */
  readonly maxWindowGrowthPerTenant: number;
  /** A second. */
  readonly maxMessagesPerTenant: number;
  /** Of its agents. */
  readonly maxDialsPerSecond: number;
}

export class Tenant {
  readonly name: string;
  /** The budget for the growth of the receive windows of all its sessions. */
  readonly windowBudget: WindowBudget;
  /** That all its sessions send. */
  readonly messageBudget: MessageBudget;
  readonly dials: DialRate;
  readonly #maxRequests: number;
  #requests = 0;
  sessions = 0;

  constructor(name: string, limits: TenantLimits) {
    this.name = name;
    this.windowBudget = new WindowBudget(limits.maxWindowGrowthPerTenant);
    this.messageBudget = new MessageBudget(limits.maxMessagesPerTenant);
    this.dials = new DialRate(limits.maxDialsPerSecond);
    this.#maxRequests = limits.maxRequestsPerTenant;
  }

  /** False if the limit of requests is reached. Else giveRequest() must follow. */
  takeRequest(): boolean {
    if (this.#requests >= this.#maxRequests) return false;
    this.#requests += 1;
    return true;
  }

  giveRequest(): void {
    this.#requests -= 1;
  }
}

/** Who has a name, by how many routes of sessions that are there. */
interface Owner {
  readonly tenant: string;
  routes: number;
}

export class Tenants {
  readonly #limits: TenantLimits;
  readonly #byName = new Map<string, Tenant>();
  readonly #owners = new Map<string, Owner>();

  constructor(limits: TenantLimits) {
    this.#limits = limits;
  }

  of(name: string): Tenant {
    let tenant = this.#byName.get(name);
    if (tenant === undefined) {
      tenant = new Tenant(name, this.#limits);
      this.#byName.set(name, tenant);
    }
    return tenant;
  }

  /** It has as many sessions as it may. */
  isFull(name: string): boolean {
    return (this.#byName.get(name)?.sessions ?? 0) >= this.#limits.maxSessionsPerTenant;
  }

  /** The other tenant whose agents serve one of the routes' hosts, or the TCP service, now; undefined if there is none. */
  takenBy({ tenant, routes }: AgentClaims): string | undefined {
    for (const route of routes) {
      const owner = this.#owners.get(ownedName(route));
      if (owner !== undefined && owner.tenant !== tenant) return owner.tenant;
    }
    return undefined;
  }

  /** A session of the tenant has joined; leave() must follow. */
  join({ tenant: name, routes }: AgentClaims): Tenant {
    const tenant = this.of(name);
    tenant.sessions += 1;
    for (const route of routes) {
      const owned = ownedName(route);
      const owner = this.#owners.get(owned);
      if (owner === undefined) this.#owners.set(owned, { tenant: name, routes: 1 });
      else owner.routes += 1;
    }
    return tenant;
  }

  leave({ tenant: name, routes }: AgentClaims): void {
    for (const route of routes) {
      const owned = ownedName(route);
      const owner = this.#owners.get(owned);
      if (owner === undefined) continue;
      owner.routes -= 1;
      if (owner.routes === 0) this.#owners.delete(owned);
    }
    this.of(name).sessions -= 1;
  }
}

/** The name that belongs to one tenant: a host with all its paths, or a TCP service. */
function ownedName(route: string): string {
  return isTcpService(route) ? route : parseRoute(route).host;
}
