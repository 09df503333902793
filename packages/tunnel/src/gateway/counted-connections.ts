// Counts the connections to the gateway's ports for HTTP and for agents by client address, including connections without any byte so far. A connection
// of an accepted agent is counted by its tenant instead.
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

  /** Closes the server's connections above the limit. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      if (this.#addresses.has(peer)) return; // put back, to be parsed again
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
