// A node of the simulation: the parts of a fleet that ask the engine, put together as the fleet does, without the pool, the links and the streams. Agents are
// numbers. A test holds it to a whole Fleet.
import type { Clock } from '@zishuo/yamux-balancer';
import type { NodeRecord, SessionDirectory } from '@zishuo/yamux-fleet';
import { Holdings } from '../../../../packages/fleet/src/names/holdings.ts';
import { Lookups } from '../../../../packages/fleet/src/names/lookups.ts';
import { NameCache } from '../../../../packages/fleet/src/names/name-cache.ts';
import { Outbox } from '../../../../packages/fleet/src/names/outbox.ts';
import { RateLimit } from '../../../../packages/fleet/src/names/rate-limit.ts';
import { LEASE, Membership } from '../../../../packages/fleet/src/nodes/membership.ts';
import { NodeView } from '../../../../packages/fleet/src/nodes/node-view.ts';
import { agentOf, nameOf } from '../entries.ts';

export class SimulatedNode {
  readonly #holdings: Holdings;
  readonly #outbox = new Outbox();
  readonly #lookups: Lookups;
  readonly #membership: Membership;
  readonly #directory: SessionDirectory;
  readonly #clock: Clock;
  readonly #view: NodeView;
  #unwatch: () => void = () => {};

  constructor(record: NodeRecord, directory: SessionDirectory, clock: Clock, random: () => number) {
    const view = new NodeView(record, 2 * LEASE);
    this.#directory = directory;
    this.#clock = clock;
    this.#view = view;
    const cache = new NameCache({ ttl: 30_000, unknownTtl: 1_000, maxNames: 100_000, maxUnknown: 10_000 });
    this.#holdings = new Holdings(record.id, (name) => {
      if (this.#holdings.placement(name) === undefined) cache.vanish(name, clock.now());
      this.#outbox.mark(name);
      this.#membership.flush();
    });
    this.#membership = new Membership({
      directory,
      clock,
      random,
      self: () => ({ ...record, sessions: this.#holdings.size }),
      view,
      holdings: this.#holdings,
      outbox: this.#outbox,
      isLinked: () => false,
      changed: () => {},
    });
    this.#lookups = new Lookups({
      directory,
      cache,
      limit: new RateLimit(1_000),
      clock,
      isDown: () => this.#membership.downSince !== undefined,
      isDoubtful: () => view.isDoubtful(clock.now()),
    });
  }

  /** Names that the engine has yet to be told of. */
  get untold(): number {
    return this.#outbox.size;
  }

  async start(): Promise<void> {
    this.#unwatch = this.#directory.watch({
      changed: (name) => this.#lookups.changed(name),
      unsure: () => {
        this.#lookups.unsure();
        this.#view.suspect(this.#clock.now());
      },
      up: () => {
        this.#view.suspect(this.#clock.now());
        this.#membership.isUp();
      },
      down: () => this.#membership.isDown(),
    });
    await this.#membership.start();
  }

  join(agent: number): void {
    this.#holdings.set(agentOf(agent), { id: agentOf(agent), weight: 1 }, [nameOf(agent)]);
  }

  leave(agent: number): void {
    this.#holdings.delete(agentOf(agent));
  }

  /** A request for the agent: where it is not here, it is looked up. */
  async ask(agent: number): Promise<void> {
    const name = nameOf(agent);
    if (this.#holdings.placement(name) === undefined) await this.#lookups.find(name);
  }

  async stop(): Promise<void> {
    this.#unwatch();
    await this.#membership.stop();
  }
}
