// Peers in one process, without sockets: connections by address, which the test may cut.
import type { Duplex } from 'node:stream';
import { duplexPair } from '../../../yamux/test/support/duplex-pair.ts';
import type { NodeRecord } from '../../src/directory/directory.ts';
import type { InboundConnection, PeerListener, PeerNetwork } from '../../src/peer/network.ts';

export class MemoryNetwork {
  readonly #ports = new Map<number, (connection: InboundConnection) => void>();
  readonly #ends = new Map<Duplex, readonly [number, number]>();
  readonly #cuts = new Set<string>();

  /** The network as the node that listens at `port` has it. */
  at(port: number): PeerNetwork {
    return {
      listen: async (accepted): Promise<PeerListener> => {
        this.#ports.set(port, accepted);
        return { port, close: async () => void this.#ports.delete(port) };
      },
      dial: async (node: NodeRecord): Promise<Duplex> => {
        const to = Number(node.address.split(':').at(-1));
        const accepted = this.#ports.get(to);
        if (accepted === undefined || this.#cuts.has(pairOf(port, to))) throw new Error(`Nobody listens at ${to}`);
        const [near, far] = duplexPair();
        for (const end of [near, far]) {
          this.#ends.set(end, [port, to]);
          end.once('close', () => this.#ends.delete(end));
        }
        accepted({ socket: far, mayBe: () => true });
        return near;
      },
    };
  }

  /** No connection between the two, and none that was survives. */
  cut(one: number, other: number): void {
    this.#cuts.add(pairOf(one, other));
    this.#break((from, to) => pairOf(from, to) === pairOf(one, other));
  }

  mend(): void {
    this.#cuts.clear();
  }

  /** As a process that was killed: its connections break, and nobody listens there. */
  kill(port: number): void {
    this.#ports.delete(port);
    this.#break((from, to) => from === port || to === port);
  }

  #break(concerns: (from: number, to: number) => boolean): void {
    for (const [end, [from, to]] of [...this.#ends]) if (concerns(from, to)) end.destroy();
  }
}

function pairOf(one: number, other: number): string {
  return [one, other].sort((a, b) => a - b).join('-');
}
