// The picks of other projects, each with the code that they run for every request.
import { createRequire } from 'node:module';
import { BalancedPool } from 'undici';
import type { Picker } from './picker.ts';

const require: NodeJS.Require = createRequire(import.meta.url);

/** The method that its dispatch() calls; it is not public. */
export function dispatcherOf(pool: BalancedPool): () => unknown {
  for (let prototype: object | null = pool; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
    const symbol = Object.getOwnPropertySymbols(prototype).find(({ description }) => description === 'get dispatcher');
    if (symbol !== undefined) return () => (pool as unknown as Record<symbol, () => unknown>)[symbol]?.();
  }
  throw new Error("undici's BalancedPool has no 'get dispatcher' any more");
}

export const undici: Picker = {
  name: 'undici BalancedPool',
  largest: 1_000,
  make: (sessions) => {
    const pool = new BalancedPool(Array.from({ length: sessions }, (_, number) => `http://127.0.0.1:${1024 + number}`));
    const pick = dispatcherOf(pool);
    return (times) => {
      for (let turn = 0; turn < times; turn += 1) pick();
    };
  },
};

/** The members of a connection that its round_robin policy needs. */
const READY = 2;
const subchannel = {
  getConnectivityState: () => READY,
  addConnectivityStateListener: () => {},
  removeConnectivityStateListener: () => {},
  addHealthStateWatcher: () => {},
  removeHealthStateWatcher: () => {},
  isHealthy: () => true,
  startConnecting: () => {},
  getAddress: () => '127.0.0.1:1',
  getChannelzRef: () => ({}),
  ref: () => {},
  unref: () => {},
  throttleKeepalive: () => {},
  getRealSubchannel: () => subchannel,
  realSubchannelEquals: () => false,
};

interface GrpcPicker {
  pick(args: object): unknown;
}

/** Makes its picker for a number of ready connections. Returns a function that picks one and returns its number. */
export function grpcRoundRobin(connections: number): () => number {
  const build = '@grpc/grpc-js/build/src';
  const { RoundRobinLoadBalancer } = require(`${build}/load-balancer-round-robin`);
  const { parseLoadBalancingConfig } = require(`${build}/load-balancer`);
  require('@grpc/grpc-js');
  let picker: GrpcPicker | undefined;
  const numbers = new Map<unknown, number>();
  const balancer = new RoundRobinLoadBalancer({
    createSubchannel: ({ port }: { readonly port: number }) => {
      const own: object = { ...subchannel, getRealSubchannel: () => own };
      numbers.set(own, port);
      return own;
    },
    updateState: (_state: number, made: GrpcPicker) => {
      picker = made;
    },
    requestReresolution: () => {},
    addChannelzChild: () => {},
    removeChannelzChild: () => {},
  });
  const endpoints = Array.from({ length: connections }, (_, number) => ({
    addresses: [{ host: '127.0.0.1', port: number }],
  }));
  balancer.updateAddressList({ ok: true, value: endpoints }, parseLoadBalancingConfig({ round_robin: {} }), {}, '');
  const args = { metadata: {}, extraPickInfo: {} };
  return () => {
    const picked = picker?.pick(args) as { readonly subchannel?: unknown } | undefined;
    const number = numbers.get(picked?.subchannel);
    if (number === undefined) throw new Error('no connection was picked');
    return number;
  };
}

export const grpc: Picker = {
  name: 'grpc-js round_robin',
  largest: 10_000,
  make: (sessions) => {
    const pick = grpcRoundRobin(sessions);
    return (times) => {
      for (let turn = 0; turn < times; turn += 1) pick();
    };
  },
};
