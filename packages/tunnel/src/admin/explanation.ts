// Why a public request would be served, or would not: in words, for each session.
import type { SessionExplanation } from '@zishuo/yamux-balancer';
import type { Routes } from '../gateway/routes.ts';
import { hostName } from '../http/host.ts';
import { isTcpService } from '../tcp-service.ts';

export interface Explanation {
  /** The route that takes the request, or the TCP service; null if no agent has ever served one. */
  readonly service: string | null;
  /** For people: what such a request would come to now. */
  readonly summary: string;
  readonly sessions: readonly SessionExplanation[];
}

/** For a host and a path, or for `tcp:<name>` as the host. Nothing changes by looking. */
export function explain(routes: Routes, host: string, path: string): Explanation {
  const isTcp = isTcpService(host);
  const service = isTcp ? host : routes.find(hostName(host), path);
  if (service === undefined || (isTcp && !routes.has(service))) {
    const summary = isTcp
      ? `No agent has ever served ${host}: a connection is reset.`
      : `No agent has ever served ${hostName(host)}${path}: a request is answered 404.`;
    return { service: null, summary, sessions: [] };
  }
  const sessions = routes.explain(service);
  const serving = sessions.filter(({ verdict }) => verdict !== 'filtered').length;
  const able = sessions.filter(({ verdict }) => verdict === 'eligible').length;
  const refusal = isTcp ? 'a connection is reset' : 'a request is answered 503';
  return { service, summary: `${service}: ${summaryOf(serving, able, refusal)}.`, sessions };
}

function summaryOf(serving: number, able: number, refusal: string): string {
  if (serving === 0) return `its agents are all gone, ${refusal}`;
  const count = `${able} of its ${serving} session${serving === 1 ? '' : 's'} can take one now`;
  return able === 0 ? `${count}, ${refusal}` : count;
}
