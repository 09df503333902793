// A gateway whose answers the test chooses, and a Reconnector that dials it on a manual clock.
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { YamuxSession } from '@zishuo/yamux';
import { type WebSocket, WebSocketServer } from 'ws';
import { ManualClock } from '../../../yamux/test/support/manual-clock.ts';
import type { UpgradeRefusedError } from '../../src/errors.ts';
import { keepConnected, type Reconnector } from '../../src/reconnect.ts';
import type { KeepConnectedOptions, RetryEvent } from '../../src/reconnect-options.ts';
import { refuseUpgrade } from '../../src/refusal.ts';
import { server } from '../../src/session.ts';
import { closeServers, httpServer } from './http-server.ts';

const keepers: Reconnector[] = [];

/** For afterEach. */
export async function stopKeepers(): Promise<void> {
  for (const keeper of keepers.splice(0)) {
    void keeper.stop();
    keeper.session?.destroy();
    await keeper.stopped;
  }
  await closeServers();
}

export interface Gateway {
  readonly url: string;
  readonly sessions: YamuxSession[];
  readonly attempts: IncomingMessage[];
  /** Resolves with the session of this number on the gateway; the first is 1. */
  session(number: number): Promise<YamuxSession>;
  /** Closes the WebSocket of the newest session. */
  close(code: number, reason?: string): void;
  /** Makes the newest session receive a message that its peer has not sent. */
  receive(message: Buffer): void;
}

/** `refuse` is called at every attempt; the first is 1. */
export async function gateway(
  refuse: (attempt: number) => UpgradeRefusedError | undefined = () => undefined,
): Promise<Gateway> {
  const http = await httpServer();
  const handshakes = new WebSocketServer({ noServer: true });
  const events = new EventEmitter();
  const sessions: YamuxSession[] = [];
  const sockets: WebSocket[] = [];
  const attempts: IncomingMessage[] = [];
  http.server.on('upgrade', (request, socket, head) => {
    attempts.push(request);
    const refusal = refuse(attempts.length);
    if (refusal !== undefined) {
      refuseUpgrade(socket, refusal);
      return;
    }
    handshakes.handleUpgrade(request, socket, head, (ws) => {
      sockets.push(ws);
      const session = server(ws);
      session.on('error', () => {});
      sessions.push(session);
      events.emit('session');
    });
  });
  return {
    url: `${http.url}/`,
    sessions,
    attempts,
    session: async (number) => {
      while (sessions.length < number) await once(events, 'session');
      return sessions[number - 1] as YamuxSession;
    },
    close: (code, reason) => sockets.at(-1)?.close(code, reason),
    receive: (message) => sockets.at(-1)?.emit('message', message, true),
  };
}

export interface Kept {
  readonly keeper: Reconnector;
  readonly clock: ManualClock;
  readonly retries: RetryEvent[];
  readonly served: string[];
  /** Resolves with the session of this number on the client. */
  session(number: number): Promise<YamuxSession>;
  /** Resolves when the pause of this number begins; the first is 1. The time moves only when the test moves it. */
  pause(number: number): Promise<RetryEvent>;
}

/** `chance` is the random number of every pause, so that each pause is this share of its bound. */
export function keep(urls: readonly string[], options: Partial<KeepConnectedOptions> = {}, chance = 0.5): Kept {
  const clock = new ManualClock();
  const events = new EventEmitter();
  const sessions: YamuxSession[] = [];
  const retries: RetryEvent[] = [];
  const served: string[] = [];
  const keeper = keepConnected({
    urls,
    clock,
    random: () => chance,
    onSession: (session, url) => {
      sessions.push(session);
      served.push(url);
      events.emit('session');
    },
    onRetry: (event) => {
      retries.push(event);
      // The timer is set by now.
      events.emit('pause');
    },
    ...options,
  });
  keepers.push(keeper);
  return {
    keeper,
    clock,
    retries,
    served,
    session: async (number) => {
      while (sessions.length < number) await once(events, 'session');
      return sessions[number - 1] as YamuxSession;
    },
    pause: async (number) => {
      while (retries.length < number) await once(events, 'pause');
      return retries[number - 1] as RetryEvent;
    },
  };
}
