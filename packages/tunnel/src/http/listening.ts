// A server that begins to listen.
import type { AddressInfo, Server } from 'node:net';

/**
 * Resolves with where it listens; rejects with what node:net tells of a port that cannot be had. `onError` hears of what comes later: of a connection
 * that cannot be taken, as where there are no descriptors left. `exclusive`: not shared with other workers of the machine.
 */
export function listening(
  server: Server,
  port: number,
  host: string,
  onError: (error: Error) => void,
  exclusive = false,
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive }, () => {
      server.off('error', reject).on('error', onError);
      resolve(server.address() as AddressInfo);
    });
  });
}
