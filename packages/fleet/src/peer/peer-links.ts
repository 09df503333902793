// The links to all other nodes: one pool of sessions, with the nodes as ids.
import type { YamuxSession, YamuxStream } from '@zishuo/yamux';
import { leastConn, SessionPool } from '@zishuo/yamux-balancer';
import type { NodeRecord } from '../directory/directory.ts';
import type { PeerNetwork } from './network.ts';
import { PeerLink, type PeerLinkSettings } from './peer-link.ts';

export interface LinksSettings extends Omit<PeerLinkSettings, 'pool' | 'network'> {
  /** Undefined if this node is alone. */
  readonly network: PeerNetwork | undefined;
}

export class PeerLinks {
  readonly #settings: LinksSettings;
  readonly #pool: SessionPool<YamuxSession>;
  readonly #links = new Map<string, PeerLink>();

  constructor(settings: LinksSettings) {
    const { clock, random } = settings;
    // The keep-alive of the sessions checks their health, so every session in the pool works.
    this.#pool = new SessionPool<YamuxSession>({ strategy: leastConn(), healthFailureThreshold: 0, clock, random });
    this.#settings = settings;
  }

  get(node: string): PeerLink | undefined {
    return this.#links.get(node);
  }

  isUp(node: string): boolean {
    return this.#links.get(node)?.isUp === true;
  }

  join(node: NodeRecord): void {
    const { network } = this.#settings;
    if (network === undefined || this.#links.has(node.id)) return;
    this.#links.set(node.id, new PeerLink({ ...this.#settings, network, pool: this.#pool }, node));
  }

  async drop(node: string, timeout: number): Promise<void> {
    const link = this.#links.get(node);
    this.#links.delete(node);
    await link?.close(timeout);
  }

  open(node: string, signal: AbortSignal | undefined): Promise<YamuxStream> {
    return this.#pool.open({ sessionId: node }, { signal });
  }

  async close(timeout: number): Promise<void> {
    await Promise.all(Array.from(this.#links.keys(), (node) => this.drop(node, timeout)));
  }
}
