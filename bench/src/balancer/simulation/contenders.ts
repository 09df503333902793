// The contenders of a simulation: our strategies in a pool with default options, and others with the code that they run for every request, in a
// pool that only counts. The others have no health checks and no second attempt.
import { createRequire } from 'node:module';
import {
  affinity,
  type Candidate,
  type CandidateView,
  leastConn,
  type PoolOptions,
  peakEwma,
  type RoutingContext,
  random,
  rendezvous,
  roundRobin,
  type Strategy,
  weighted,
} from '@zishuo/yamux-balancer';
import { BalancedPool } from 'undici';
import { dispatcherOf, grpcRoundRobin } from '../peer-picks.ts';

export interface Contender {
  readonly name: string;
  options(): PoolOptions;
  /** The routing of a request, from its number. */
  routing?(number: number): RoutingContext;
}

const BARE: PoolOptions = { openAttempts: 1, healthFailureThreshold: 0 };
const ofTenant = (number: number): RoutingContext => ({ affinityKey: `tenant-${number % 1_000}` });

export const contenders: readonly Contender[] = [
  { name: 'round-robin', options: () => ({ strategy: roundRobin() }) },
  { name: 'random', options: () => ({ strategy: random() }) },
  { name: 'weighted', options: () => ({ strategy: weighted() }) },
  { name: 'least-conn', options: () => ({ strategy: leastConn() }) },
  { name: 'least-conn, slow start', options: () => ({ strategy: leastConn({ slowStart: 5_000 }) }) },
  {
    name: 'affinity over least-conn',
    options: () => ({ strategy: affinity({ fallback: leastConn() }) }),
    routing: ofTenant,
  },
  {
    name: 'rendezvous, load factor 1.25',
    options: () => ({ strategy: rendezvous({ maxLoadFactor: 1.25 }) }),
    routing: ofTenant,
  },
  { name: 'peak-ewma', options: () => ({ strategy: peakEwma() }) },
  { name: 'peak-ewma, slow start', options: () => ({ strategy: peakEwma({ slowStart: 5_000 }) }) },
  { name: 'random of two, by streams', options: () => ({ ...BARE, strategy: randomOfTwo() }) },
  { name: 'grpc-js round_robin', options: () => ({ ...BARE, strategy: grpcStrategy() }) },
  { name: 'undici BalancedPool', options: () => ({ ...BARE, strategy: undiciStrategy() }) },
];

/** As in proxies: the one with fewer streams. */
function randomOfTwo(): Strategy {
  let source = Math.random;
  return {
    name: 'random-of-two',
    attach: (context) => {
      source = context.random;
    },
    pick: (candidates) => {
      const { length } = candidates;
      if (length === 1) return 0;
      const first = Math.floor(source() * length);
      const second = (first + 1 + Math.floor(source() * (length - 1))) % length;
      return (candidates.at(first) as Candidate).load <= (candidates.at(second) as Candidate).load ? first : second;
    },
  };
}

function grpcStrategy(): Strategy {
  const keys: string[] = [];
  let pick: (() => number) | undefined;
  const changed = (): void => {
    pick = undefined;
  };
  return {
    name: 'grpc',
    added: ({ key }) => {
      keys.push(key);
      changed();
    },
    removed: ({ key }) => {
      keys.splice(keys.indexOf(key), 1);
      changed();
    },
    pick: (candidates) => {
      if (pick === undefined) {
        pick = grpcRoundRobin(keys.length);
        // It starts at a random index (Math.random); here always at the first.
        while (pick() !== keys.length - 1);
      }
      return indexOfKey(candidates, keys[pick()] ?? '');
    },
  };
}

const require: NodeJS.Require = createRequire(import.meta.url);

function undiciStrategy(): Strategy {
  const pool = new BalancedPool([]);
  const dispatcher = dispatcherOf(pool);
  const urls = new Map<string, string>();
  const { kUrl } = require('undici/lib/core/symbols.js') as { readonly kUrl: symbol };
  const urlOf = (upstream: unknown): string => String((upstream as Record<symbol, unknown>)[kUrl]);
  return {
    name: 'undici',
    added: ({ key }) => {
      const url = `http://127.0.0.1:${20_000 + urls.size}`;
      urls.set(new URL(url).href, key);
      pool.addUpstream(url);
    },
    pick: (candidates) => indexOfKey(candidates, urls.get(new URL(urlOf(dispatcher())).href) ?? ''),
    failed: ({ key }) => {
      const [url = ''] = [...urls].find(([, own]) => own === key) ?? [];
      // It learns of a failed connection from this event.
      pool
        .getUpstream(url)
        ?.emit('connectionError', new URL(url), [], Object.assign(new Error('down'), { code: 'UND_ERR_SOCKET' }));
    },
  };
}

function indexOfKey(candidates: CandidateView, key: string): number {
  for (let index = 0; index < candidates.length; index += 1) if (candidates.at(index)?.key === key) return index;
  throw new Error(`Expected '${key}' among the candidates`);
}
