// The fleet on the dashboard: a row for each gateway, and whether the engine of the directory answers.
import type { Fleet, NodeStatus } from '@zishuo/yamux-fleet';

export interface FleetView {
  /** This one first. */
  readonly gateways: readonly FleetGatewayView[];
  readonly engine: {
    readonly answers: boolean;
    /** Milliseconds for which the engine has not answered; null while it answers. */
    readonly silentFor: number | null;
  };
}

export interface FleetGatewayView {
  readonly id: string;
  readonly name: string;
  readonly isSelf: boolean;
  /** `'lost'`: there is no link to it. */
  readonly state: 'serving' | 'draining' | 'lost';
  /** Why there is no link, if that is known. */
  readonly reason: string | null;
  /** Sessions of agents there, and streams that are open on them, as it told last. */
  readonly sessions: number;
  readonly streams: number;
  readonly rtt: number | null;
  /** Milliseconds since its last beat that is known of. */
  readonly beatAge: number;
  /** Streams that were asked of it by this gateway, and that it has asked of this one. */
  readonly forwards: { readonly out: number; readonly in: number };
}

export function fleetView(fleet: Fleet): FleetView {
  const { directoryDownMs } = fleet.stats();
  return {
    gateways: fleet.nodes().map(gatewayView),
    engine: { answers: directoryDownMs === undefined, silentFor: directoryDownMs ?? null },
  };
}

function gatewayView(node: NodeStatus): FleetGatewayView {
  const { id, name, isSelf, isReachable, draining, lastError, sessions, load, rtt, heardMs } = node;
  const able = draining ? 'draining' : 'serving';
  return {
    id,
    name,
    isSelf,
    state: isReachable ? able : 'lost',
    reason: isReachable ? null : (lastError ?? null),
    sessions,
    streams: load,
    rtt: rtt ?? null,
    beatAge: Math.round(heardMs),
    forwards: { out: node.forwardsOut, in: node.forwardsIn },
  };
}
