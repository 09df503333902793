// A server of one's own program, published through gateways without a port.
import type { Server } from 'node:http';
import { TunnelAgent, type TunnelAgentOptions } from './agent/tunnel-agent.ts';

/** Of {@link serveTunnel}. */
export type ServeTunnelOptions = Omit<TunnelAgentOptions, 'targets'>;

/**
 * Publishes an HTTP server of this process through gateways: it need not listen. Its 'request', 'upgrade' and 'checkContinue' listeners see what
 * comes through the tunnel as if it came by a socket; who the client is stands in X-Forwarded-For.
 * @throws TypeError for a wrong option.
 */
export function serveTunnel(server: Server, options: ServeTunnelOptions): TunnelAgent {
  return new TunnelAgent({ ...options, targets: server });
}
