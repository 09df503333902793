// The public exports, without logic.
export { AdminServer, type AdminServerOptions } from './admin/admin-server.ts';
export { type TargetOptions, Targets } from './agent/targets.ts';
export { TunnelAgent, type TunnelAgentOptions } from './agent/tunnel-agent.ts';
export { TunnelError, type TunnelErrorCode, UpstreamError } from './errors.ts';
export { type Certificate, CertificateFiles, readCertificate } from './gateway/certificate.ts';
export type { TunnelFleetOptions } from './gateway/gateway-fleet.ts';
export type { TunnelGatewayOptions } from './gateway/options.ts';
export { Revocations, type RevokedKind } from './gateway/revocations.ts';
export type { AgentSession } from './gateway/routes.ts';
export type { Outcome, ServedRequest } from './gateway/served.ts';
export type { TcpService } from './gateway/tcp-listener.ts';
export { TunnelGateway, type TunnelGatewayEvents } from './gateway/tunnel-gateway.ts';
export { jsonLog, type Log } from './log.ts';
export { type ServeTunnelOptions, serveTunnel } from './serve-tunnel.ts';
export { type AgentClaims, signToken } from './token.ts';
export { issueToken, TokenKeys, type TokenKeysOptions } from './token-keys.ts';
