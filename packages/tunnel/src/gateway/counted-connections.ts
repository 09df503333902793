// The connections to a gateway's ports for HTTP and for agents, counted by the address of their client, those that have not said anything yet
// included. A connection that an agent has been let in by is counted by its tenant instead.
import type { Server, Socket } from 'node:net';
import { plainAddress } from '../http/forwarded.ts';
import type { AddressLimits } from './address-limits.ts';

export class CountedConnections {
  readonly #limits: AddressLimits;
  /** Address by connection. A TLSSocket and the socket below it are one: they visibly have in common what peerOf() says, and no more. */
  readonly #addresses = new Map<string, string>();

  constructor(limits: AddressLimits) {
    this.#limits = limits;
  }

  /** Closes those of the server's connections that are too many. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      if (this.#addresses.has(peer)) return; // put back, to be parsed anew
      const address = plainAddress(socket.remoteAddress ?? 'unknown');
      if (!this.#limits.take(address)) {
        socket.destroy();
        return;
      }
      this.#addresses.set(peer, address);
      socket.once('close', () => this.#forget(peer));
    });
  }

  /** It is an agent's. */
  release(socket: Socket): void {
    this.#forget(peerOf(socket));
  }

  #forget(peer: string): void {
    const address = this.#addresses.get(peer);
    if (address === undefined) return;
    this.#addresses.delete(peer);
    this.#limits.give(address);
  }
}

function peerOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
