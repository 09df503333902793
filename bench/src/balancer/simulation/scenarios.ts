// The scenarios: the problem of one of ten sessions, and the number of requests meanwhile.
import type { Server } from './server.ts';

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Requests a second: 70 % of the capacity of all sessions. */
  readonly rate: number;
  /** Milliseconds: requests in this time are counted. */
  readonly lasts: number;
  /** The session joins at the start of the problem. */
  readonly joins: boolean;
  /** `at` is the start of the problem. */
  befall(server: Server, at: number): void;
}

export const SESSIONS = 10;
/** The mean duration of a request, in milliseconds. */
export const WORK = 100;
/** The number of requests that a session works on at a time: it does forty a second. */
export const WORKERS = 4;
const LOAD = 0.7;
const PER_SESSION = (WORKERS * 1_000) / WORK;

export const scenarios: readonly Scenario[] = [
  {
    name: 'slow',
    title: 'One is ten times slower',
    rate: LOAD * (SESSIONS - 1 + 0.1) * PER_SESSION,
    lasts: 20_000,
    joins: false,
    befall: (server) => {
      server.slowness = () => 10;
    },
  },
  {
    name: 'stalled',
    title: 'One stalls for 5 s',
    rate: LOAD * SESSIONS * PER_SESSION,
    lasts: 5_000,
    joins: false,
    befall: (server, at) => {
      server.isStalled = (now) => now >= at && now < at + 5_000;
    },
  },
  {
    name: 'joins',
    title: 'One joins, cold: ten times slower at first, warm after 5 s',
    rate: LOAD * SESSIONS * PER_SESSION,
    lasts: 10_000,
    joins: true,
    befall: (server, at) => {
      server.slowness = (now) => Math.max(1, 10 - (9 * (now - at)) / 5_000);
    },
  },
  {
    name: 'flaps',
    title: 'One flaps: of every 3 s it fails every open for 1 s',
    rate: LOAD * SESSIONS * PER_SESSION,
    lasts: 12_000,
    joins: false,
    befall: (server, at) => {
      server.isDown = (now) => now >= at && (now - at) % 3_000 < 1_000;
    },
  },
];
