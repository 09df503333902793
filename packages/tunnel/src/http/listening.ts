// Starts a server.
import type { AddressInfo, Server } from 'node:net';

/**
 * Resolves with the bound address. Rejects with the error of node:net if the port is not available. `onError` gets later errors, for example a connection
 * that cannot be accepted because no descriptors are left. `exclusive`: the port is not shared with other workers of the machine.
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
