// One gateway of the demo: its fixed address, and its current process.
import { randomBytes } from 'node:crypto';
import { Child, type Started } from './child.ts';
import type { Backend } from './front.ts';

/** Milliseconds for which a gateway that stops still takes requests. The front looks twenty times as often. */
const DRAIN_DELAY = 1_000;

export class GatewayPlace {
  /** Of the public port. */
  readonly url: string;
  /** Of the dashboard, with what its buttons need. */
  readonly admin: string;
  readonly backend: Backend;
  readonly #start: GatewayStart;
  #process: Child;

  static async open(secret: string, logs: boolean, more: GatewayMore): Promise<GatewayPlace> {
    // The same port for each process, so that an open dashboard continues.
    const start: GatewayStart = { secret, adminToken: randomBytes(16).toString('base64url'), logs, more };
    const { child, url, admin } = await startGateway(start, { port: '0', adminPort: '0', readySessions: 0 });
    return new GatewayPlace(start, child, url, admin);
  }

  private constructor(start: GatewayStart, first: Child, url: string, admin: string) {
    this.#start = start;
    this.#process = first;
    this.url = url;
    this.admin = admin;
    const { hostname: host, port } = new URL(url);
    this.backend = { host, port: Number(port), readyUrl: new URL('/readyz', admin).href };
  }

  get process(): Child {
    return this.#process;
  }

  /**
   * Stops the process, as SIGTERM does, and starts a new one, which is ready when it has this many sessions of agents. Resolves with the exit code of
   * the old process.
   */
  async restart(readySessions: number): Promise<number | string> {
    const code = await this.#process.stop();
    await this.begin(readySessions);
    return code;
  }

  /** Starts another process in the place of one that has ended. */
  async begin(readySessions: number): Promise<void> {
    const places = { port: new URL(this.url).port, adminPort: new URL(this.admin).port };
    const { child } = await startGateway(this.#start, { ...places, readySessions });
    this.#process = child;
  }
}

/** The additional options of a gateway in a fleet. */
export interface GatewayMore {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface GatewayStart {
  readonly more: GatewayMore;
  readonly secret: string;
  readonly adminToken: string;
  readonly logs: boolean;
}

function startGateway(
  { secret, adminToken, logs, more }: GatewayStart,
  {
    port,
    adminPort,
    readySessions,
  }: { readonly port: string; readonly adminPort: string; readonly readySessions: number },
): Promise<Started> {
  const args = ['--port', port, '--admin-port', adminPort, '--ready-sessions', String(readySessions)];
  args.push('--balance', 'weighted', '--drain-delay', String(DRAIN_DELAY), ...more.args);
  const env = { TUNNEL_SECRET: secret, TUNNEL_ADMIN_TOKEN: adminToken, ...more.env };
  return Child.start({ program: 'gateway', args, env, logs });
}
