// The targets as data: how many times as fast as another contender, at least. Speeds are ratios of medians of one run.

export interface Target {
  /** The name of a figure. */
  readonly figure: string;
  readonly contender: string;
  readonly against: Against;
  readonly atLeast: number;
  /** Only some runs have the other contender: without it there is no verdict. */
  readonly isOptional?: true;
}

/** Another contender, for the same figure unless another is named, or a fixed value. */
export type Against = { readonly contender: string; readonly figure?: string } | { readonly value: number };

const YAMUX = '@zishuo/yamux';
const SOCKET = 'net.Socket';
const HTTP2 = 'node:http2';
const LIBP2P = '@chainsafe/libp2p-yamux';
const GO = 'hashicorp/yamux';
const OVER_WS = '@zishuo/tunnel, ws';
const OVER_WSS = '@zishuo/tunnel, wss';
const FLEET = '@zishuo/yamux-fleet';
const TWO_PROXIES = 'two http-proxy-3';
const FRP = 'frp';
const PIKO = 'piko';

export const targets: readonly Target[] = [
  ...ours('bulk-1', { [SOCKET]: 0.85, [HTTP2]: 1.2, [LIBP2P]: 1.1, [GO]: 1 }),
  ...ours('bulk-100', { [SOCKET]: 0.7, [HTTP2]: 1.3, [LIBP2P]: 1.6 }),
  ...ours('bulk-1-small', { [HTTP2]: 1.5, [LIBP2P]: 2 }),
  ...ours('open-echo-close', { [HTTP2]: 1.5, [LIBP2P]: 3, [GO]: 1 }),
  ...ours('ping-pong', { [SOCKET]: 1 / 1.3 }),
  ...ours('ping-pong-beside-bulk-p99', { [HTTP2]: 1 }),
  ...ours('ping-pong-beside-paced-p99', { [HTTP2]: 1 }),
  ...ours('bulk-1-cold', { [SOCKET]: 0.9, [LIBP2P]: 1.1 }),
  ...ours('bulk-100-cold', { [GO]: 1 }),
  ...ours('ping-pong-beside-bulk-p99-cold', { [HTTP2]: 1 }),
  to('idle-memory-opened', YAMUX, { value: 3 * 1024 }, 1),
  to('idle-memory-accepted', YAMUX, { value: 3 * 1024 }, 1),
  // The bandwidth of the link, 100 MB/s, in MiB/s.
  to('bulk-1-far', YAMUX, { value: 100e6 / 1_048_576 }, 0.7),
  to('bulk-10000', YAMUX, { contender: YAMUX, figure: 'bulk-100' }, 0.7),
  to('web-socket-small', 'webSocketStream()', { contender: 'createWebSocketStream()' }, 4),
  to('web-socket', 'webSocketStream()', { contender: 'ws' }, 0.85),
  // Clients mask their messages byte by byte in JavaScript: that costs more than everything else, and the same for all.
  to('web-socket-masked', 'webSocketStream()', { contender: 'ws' }, 0.85),
  // A pick costs at most this many ns, and with 100,000 sessions at most 20 times as much as with 1,000.
  ...['round-robin', 'random', 'least-conn', 'affinity, 1,000 keys'].flatMap((strategy) => [
    to('balancer-pick-100', strategy, { value: 100 }, 1),
    to('balancer-pick-10000', strategy, { value: 1000 }, 1),
    to('balancer-pick-100000', strategy, { contender: strategy, figure: 'balancer-pick-1000' }, 1 / 20),
  ]),
  to('balancer-pick-100', 'weighted', { value: 1000 }, 1),
  to('balancer-pick-100', 'rendezvous', { value: 4000 }, 1),
  to('balancer-pick-100', 'peak-ewma', { value: 200 }, 1),
  to('balancer-pick-10000', 'round-robin, one tag, of as many as sessions', { value: 150 }, 1),
  ...tunnel('tunnel-small', [1.2, 1.8, 2]),
  ...tunnel('tunnel-down-1m', [0.8, 0.8, 1.2]),
  ...tunnel('tunnel-down-64m', [0.8, 0.8, 1.2]),
  ...tunnel('tunnel-up-1m', [0.8, 0.8, 1.2]),
  ...tunnel('tunnel-beside-p99', [1, 1, 1]),
  ...['memory', 'cpu', 'again'].map((what) => optional(to(`tunnel-idle-${what}`, OVER_WS, { contender: PIKO }, 1))),
  // What each of these costs, at most.
  ...Object.entries({
    'fleet-choice': 5_000,
    'fleet-choice-key': 5_000,
    'fleet-choice-everywhere': 5_000,
    'fleet-choice-everywhere-key': 5_000,
    'fleet-lookup-p99': 2,
    'fleet-lookup-strange-p99': 2,
    'fleet-hop-more': 100,
    'fleet-engine': 250,
    'fleet-cache': 400,
    'fleet-operations-idle': 10,
    'fleet-operations-move': 1,
  }).map(([figure, value]) => to(figure, FLEET, { value }, 1)),
  to('fleet-bulk-share', FLEET, { value: 1 }, 0.5),
];

function ours(figure: string, atLeast: Readonly<Record<string, number>>): Target[] {
  return Object.entries(atLeast).map(([contender, ratio]) => to(figure, YAMUX, { contender }, ratio));
}

/** Against two proxies in Node, frp and piko; over wss against those of them that use TLS on the same connections. */
function tunnel(figure: string, [proxies, frp, piko]: readonly [number, number, number]): Target[] {
  return [
    to(figure, OVER_WS, { contender: TWO_PROXIES }, proxies),
    optional(to(figure, OVER_WS, { contender: FRP }, frp)),
    optional(to(figure, OVER_WS, { contender: PIKO }, piko)),
    to(figure, OVER_WSS, { contender: `${TWO_PROXIES}, TLS` }, proxies),
    optional(to(figure, OVER_WSS, { contender: `${FRP}, TLS` }, frp)),
  ];
}

function optional(target: Target): Target {
  return { ...target, isOptional: true };
}

function to(figure: string, contender: string, against: Against, atLeast: number): Target {
  return { figure, contender, against, atLeast };
}
