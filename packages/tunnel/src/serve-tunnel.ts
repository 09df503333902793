// Publishes a server of this process through gateways, without a port.
import type { Server } from 'node:http';
import { TunnelAgent, type TunnelAgentOptions } from './agent/tunnel-agent.ts';

/** Of {@link serveTunnel}. */
export type ServeTunnelOptions = Omit<TunnelAgentOptions, 'targets'>;

/**
 * Publishes an HTTP server of this process through gateways. The server need not listen. Its 'request', 'upgrade' and 'checkContinue' listeners get
 * requests from the tunnel like requests from a socket. X-Forwarded-For has the address of the client.
 * @throws TypeError for a wrong option.
 */
export function serveTunnel(server: Server, options: ServeTunnelOptions): TunnelAgent {
  return new TunnelAgent({ ...options, targets: server });
}
