// Explains for each session, as text, why it would or would not serve a public request.
import type { SessionExplanation } from '@zishuo/yamux-balancer';
import type { Fleet, NodeExplanation } from '@zishuo/yamux-fleet';
import type { TunnelGateway } from '../gateway/tunnel-gateway.ts';
import { hostName } from '../http/host.ts';
import { isTcpService } from '../tcp-service.ts';

export interface Explanation {
  /** The route that takes the request, or the TCP service; null if no agent has ever served one. */
  readonly service: string | null;
  /** A readable explanation of the current result of such a request. */
  readonly summary: string;
  readonly sessions: readonly SessionExplanation[];
  /** Other gateways of the fleet that have sessions for it. */
  readonly gateways: readonly GatewayExplanation[];
}

export interface GatewayExplanation {
  readonly gateway: string;
  readonly verdict: NodeExplanation['verdict'];
  readonly detail: string;
}

/** For a host and a path, or for `tcp:<name>` as the host. Nothing changes by looking. */
export async function explain(
  { routes, fleet, find }: Pick<TunnelGateway, 'routes' | 'fleet' | 'find'>,
  host: string,
  path: string,
): Promise<Explanation> {
  const isTcp = isTcpService(host);
  if (isTcp) await fleet?.lookup(host).catch(() => {});
  const service = isTcp ? host : await find(hostName(host), path);
  const gateways = service === undefined ? [] : gatewaysFor(fleet, service);
  if (service === undefined || (isTcp && !routes.has(service) && gateways.length === 0)) {
    const summary = isTcp
      ? `No agent has ever served ${host}: a connection is reset.`
      : `No agent has ever served ${hostName(host)}${path}: a request is answered 404.`;
    return { service: null, summary, sessions: [], gateways: [] };
  }
  const sessions = routes.explain(service);
  const serving = sessions.filter(({ verdict }) => verdict !== 'filtered').length;
  const able = sessions.filter(({ verdict }) => verdict === 'eligible').length;
  const refusal = isTcp ? 'a connection is reset' : 'a request is answered 503';
  const elsewhere = gateways.filter(({ verdict }) => verdict === 'eligible' || verdict === 'draining');
  const here =
    able === 0 && elsewhere.length > 0 ? 'no session here can take one now' : summaryOf(serving, able, refusal);
  const others = elsewhere.length === 0 ? '' : `; ${elsewhere.map(({ gateway }) => gateway).join(', ')} can be asked`;
  return { service, summary: `${service}: ${here}${others}.`, sessions, gateways };
}

function gatewaysFor(fleet: Fleet | undefined, service: string): GatewayExplanation[] {
  const nodes = (fleet?.placements(service) ?? []).filter(({ isSelf }) => !isSelf);
  return nodes.map(({ node, sessions, verdict, next }) => {
    const count = `${sessions} session${sessions === 1 ? '' : 's'} there serve${sessions === 1 ? 's' : ''} it`;
    return { gateway: node, verdict, detail: next ? `${count}, and it would be asked first` : count };
  });
}

function summaryOf(serving: number, able: number, refusal: string): string {
  if (serving === 0) return `its agents are all gone, ${refusal}`;
  const count = `${able} of its ${serving} session${serving === 1 ? '' : 's'} can take one now`;
  return able === 0 ? `${count}, ${refusal}` : count;
}
