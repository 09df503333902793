// The gateway as a program. `--issue-token` makes a token for an agent and ends; else it serves until it is asked to stop.
import { randomBytes } from 'node:crypto';
import { TunnelGateway, type TunnelGatewayOptions } from './gateway/tunnel-gateway.ts';
import { jsonLog } from './log.ts';
import { flags, notify, onCommand, onStop, run, wholeNumber } from './program.ts';
import { type AgentClaims, checkSecret, signToken } from './token.ts';

const HELP = `Usage: gateway [options]

Public HTTP in, agents' WebSockets in on the same port. Requests go to the agents that serve their Host.

  --host <address>       address to listen on                          (127.0.0.1)
  --port <number>        port to listen on, 0 for any free one         (8080)
  --agent-path <path>    where agents dial in                          (/connect)
  --idle-timeout <ms>    give up an exchange on which no byte moves    (60000)
  --trust-forwarded      keep X-Forwarded-* of a proxy in front
  --help

  --issue-token <agent>  print a token for this agent and end
    --hosts <a,b>        hosts that it may serve                       (localhost,127.0.0.1)
    --tenant <name>      whose agent it is                             (default)
    --days <number>      how long the token opens sessions             (30)

Environment: TUNNEL_SECRET signs the tokens, at least 16 characters. Without it a gateway makes one up, and prints a token that
works until it ends.
`;

const DAY = 86_400_000;

run(configure, async ({ gateway: options, claims, issueOnly, tell }) => {
  if (issueOnly) {
    console.log(signToken(claims, options.secret));
    return;
  }
  const gateway = await TunnelGateway.listen(options);
  onStop(() => gateway.close());
  onCommand((command) => {
    if (command.type === 'drain') gateway.drain(command.agent, 'asked by the process that started the gateway');
    if (command.type === 'resume') gateway.resume(command.agent);
  });
  jsonLog('gateway listening', { url: gateway.url });
  notify({ type: 'ready', url: gateway.url });
  if (tell) {
    const url = `${gateway.url.replace('http', 'ws')}${options.agentPath}`;
    const token = signToken(claims, options.secret);
    console.log(`\nTry: pnpm agent --gateway ${url} --target http://127.0.0.1:3000 --token ${token}\n`);
  }
});

interface Config {
  readonly gateway: TunnelGatewayOptions;
  /** Of the token to issue. */
  readonly claims: AgentClaims;
  readonly issueOnly: boolean;
  /** Nobody else knows the secret: print a token. */
  readonly tell: boolean;
}

function configure(): Config {
  const values = flags(HELP, {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8080' },
    'agent-path': { type: 'string', default: '/connect' },
    'idle-timeout': { type: 'string', default: '60000' },
    'trust-forwarded': { type: 'boolean', default: false },
    'issue-token': { type: 'string' },
    hosts: { type: 'string', default: 'localhost,127.0.0.1' },
    tenant: { type: 'string', default: 'default' },
    days: { type: 'string', default: '30' },
  });
  const issueOnly = values['issue-token'] !== undefined;
  const given = process.env.TUNNEL_SECRET || undefined;
  if (issueOnly && given === undefined) throw new TypeError('expected TUNNEL_SECRET in the environment, to sign with');
  const secret = given ?? randomBytes(32).toString('base64url');
  checkSecret(secret);
  return {
    gateway: {
      secret,
      host: values.host,
      port: wholeNumber('port', values.port, 0, 65_535),
      agentPath: values['agent-path'],
      idleTimeout: wholeNumber('idle-timeout', values['idle-timeout'], 0, 2 ** 31 - 1),
      trustForwarded: values['trust-forwarded'],
      log: jsonLog,
    },
    claims: {
      agent: values['issue-token'] ?? 'first',
      tenant: values.tenant,
      hosts: values.hosts.split(','),
      expires: Date.now() + wholeNumber('days', values.days, 1, 36_500) * DAY,
    },
    issueOnly,
    tell: given === undefined,
  };
}
