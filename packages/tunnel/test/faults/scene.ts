// A gateway and agents as processes, to which something happens.
import type { ChildProcess } from 'node:child_process';
import { type Answer, type Ask, ask } from '../support/http.ts';
import { Logged, ready, type StartOptions, start } from '../support/programs.ts';
import { SECRET, tokenFor } from '../support/tunnel.ts';

export interface GatewayProgram {
  readonly child: ChildProcess;
  readonly port: number;
  /** Where agents dial in. */
  readonly dialedAt: string;
  readonly adminPort: number;
  ask(options?: Omit<Ask, 'port'>): Promise<Answer>;
}

export async function startGateway(args: readonly string[] = [], options: StartOptions = {}): Promise<GatewayProgram> {
  const env = { TUNNEL_SECRET: SECRET, TUNNEL_ADMIN_TOKEN: 'the-token-of-this-test', ...options.env };
  const child = start('gateway', ['--port', '0', '--admin-port', '0', ...args], { ...options, env });
  const { url, admin = '' } = await ready(child);
  const port = Number(new URL(url).port);
  return {
    child,
    port,
    dialedAt: `${url.replace('http', 'ws')}/connect`,
    adminPort: Number(new URL(admin).port),
    ask: (asked) => ask({ port, ...asked }),
  };
}

/** Resolves when it has dialed, and `gateways` have its sessions. `target` is a port, or the text of a target. */
export async function startAgent(
  gateways: readonly { readonly gateway: GatewayProgram; readonly logged: Logged }[],
  target: number | string,
  name = 'alpha',
  options: StartOptions = {},
): Promise<ChildProcess> {
  const text = typeof target === 'number' ? `http://127.0.0.1:${target}` : target;
  const args = [...gateways.flatMap(({ gateway }) => ['--gateway', gateway.dialedAt]), '--target', text];
  const child = start('agent', args, { ...options, env: { TUNNEL_TOKEN: tokenFor(name), ...options.env } });
  await Promise.all([ready(child), ...gateways.map(({ logged }) => logged.next('agent connected'))]);
  return child;
}

/** With the lines that it logs. */
export async function startLoggedGateway(
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<{ readonly gateway: GatewayProgram; readonly logged: Logged }> {
  const gateway = await startGateway(args, options);
  return { gateway, logged: new Logged(gateway.child) };
}
