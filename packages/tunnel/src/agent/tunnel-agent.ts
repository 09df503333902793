// The agent: holds sessions to gateways and serves every stream that they open as one HTTP connection, by forwarding it to a local
// target. Listens on no port.
import type { Server } from 'node:http';
import type { Log } from '../log.ts';
import { GatewayLink } from './gateway-link.ts';
import { localServer } from './local-server.ts';
import type { Targets } from './targets.ts';

export interface TunnelAgentOptions {
  /** WebSocket URLs; a session, or `connections` of them, to each. */
  readonly gateways: readonly string[];
  readonly token: string;
  readonly targets: Targets;
  /** Sessions to each gateway. The gateway balances by session, so that twice as many take twice the share. Default 1. */
  readonly connections?: number | undefined;
  readonly log: Log;
}

export class TunnelAgent {
  readonly #server: Server;
  readonly #links: readonly GatewayLink[];
  /** Resolves when every link has had its first session. */
  readonly connected: Promise<void>;
  /** Resolves after close(); rejects when a gateway refuses the token. */
  readonly ended: Promise<void>;

  constructor({ gateways, token, targets, connections = 1, log }: TunnelAgentOptions) {
    this.#server = localServer(targets, log);
    const links: GatewayLink[] = [];
    const firsts: Promise<void>[] = [];
    for (const url of gateways) {
      for (let count = 0; count < connections; count += 1) {
        firsts.push(
          new Promise((resolve) => {
            const link = new GatewayLink({
              url,
              token,
              log,
              onSession: (session) => {
                session.on('stream', (stream) => this.#server.emit('connection', stream));
                resolve();
              },
            });
            links.push(link);
          }),
        );
      }
    }
    this.#links = links;
    this.connected = Promise.all(firsts).then(() => {});
    this.ended = Promise.all(links.map((link) => link.ended)).then(() => {});
  }

  /** Takes no new request, serves what runs for at most `timeout` ms, then closes its sessions. */
  async close(timeout = 30_000): Promise<void> {
    await Promise.all(this.#links.map((link) => link.stop(timeout)));
    await this.ended.catch(() => {}); // told already
  }
}
