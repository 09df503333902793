// An HTTP server that accepts upgrades on /connect, and records its sessions and refusals.
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { YamuxSession } from '@zishuo/yamux';
import type { UpgradeRefusedError } from '../../src/errors.ts';
import { acceptUpgrades, type UpgradeAcceptor } from '../../src/upgrade.ts';
import type { UpgradeOptions } from '../../src/upgrade-options.ts';
import { httpServer, type TestServer } from './http-server.ts';

export interface Accepting extends TestServer {
  readonly acceptor: UpgradeAcceptor;
  readonly sessions: YamuxSession[];
  readonly refusals: UpgradeRefusedError[];
  /** Emits 'session' and 'refused'. */
  readonly events: EventEmitter;
}

export async function accepting(options: Partial<UpgradeOptions<unknown>> = {}): Promise<Accepting> {
  const http = await httpServer();
  const sessions: YamuxSession[] = [];
  const refusals: UpgradeRefusedError[] = [];
  const events = new EventEmitter();
  const acceptor = acceptUpgrades<unknown>(http.server, {
    path: '/connect',
    authenticate: () => true,
    onSession: (session) => {
      session.on('error', () => {});
      sessions.push(session);
      events.emit('session', session);
    },
    onRefused: (refusal) => {
      refusals.push(refusal);
      events.emit('refused', refusal);
    },
    ...options,
  });
  return { ...http, acceptor, sessions, refusals, events };
}

export function statusOf(answer: string): number {
  return Number(answer.slice('HTTP/1.1 '.length, 'HTTP/1.1 101'.length));
}

export interface Gate {
  /** The requests for an upgrade, in order. */
  readonly waiting: { readonly signal: AbortSignal; readonly answer: (identity: unknown) => void }[];
  readonly authenticate: (request: IncomingMessage, signal: AbortSignal) => Promise<unknown>;
  /** Resolves when this many requests have come. */
  arrived(count: number): Promise<void>;
}

/** An authenticate that answers when the test tells it to. */
export function gate(): Gate {
  const waiting: Gate['waiting'] = [];
  const events = new EventEmitter();
  return {
    waiting,
    authenticate: (_request, signal) =>
      new Promise((resolve) => {
        waiting.push({ signal, answer: resolve });
        events.emit('waiting');
      }),
    arrived: async (count) => {
      while (waiting.length < count) await once(events, 'waiting');
    },
  };
}
