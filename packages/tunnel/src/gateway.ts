// The gateway as a program. `--issue-token` makes a token for an agent and ends; else it serves until it is asked to stop.
import { randomBytes } from 'node:crypto';
import { collectDefaultMetrics } from 'prom-client';
import { checkAdminToken } from './admin/access.ts';
import { AdminServer } from './admin/admin-server.ts';
import { parseAffinity } from './gateway/affinity-key.ts';
import { parseBalance } from './gateway/balance.ts';
import { readCertificate } from './gateway/certificate.ts';
import type { TcpService } from './gateway/tcp-listener.ts';
import { TunnelGateway, type TunnelGatewayOptions } from './gateway/tunnel-gateway.ts';
import { jsonLog } from './log.ts';
import { flags, notify, onCommand, onStop, run, wholeNumber } from './program.ts';
import { checkTcpName } from './tcp-service.ts';
import { type AgentClaims, checkSecret, signToken } from './token.ts';

const HELP = `Usage: gateway [options]

Public HTTP or HTTPS in, agents' WebSockets in on the same port. Requests go to the agents that serve their Host and path.

  --host <address>       address to listen on                          (127.0.0.1)
  --port <number>        port to listen on, 0 for any free one         (8080)
  --tls-cert <file>      speak TLS there, with this certificate and those
                         between it and its root, in PEM
  --tls-key <file>       its private key, in PEM
  --agent-path <path>    where agents dial in                          (/connect)
  --tcp <port>=<name>    take raw TCP on this port, for the agents that serve
                         tcp:<name>; may be given again
  --affinity <by>        keep a tenant on one session: header:<name>,
                         cookie:<name>, ip or none                     (none)
  --balance <how>        spread all other requests: least-conn, weighted,
                         round-robin or random                         (least-conn)
  --idle-timeout <ms>    give up an exchange on which no byte moves    (60000)
  --joined-idle-timeout <ms>    the same for WebSockets and TCP        (600000)
  --headers-timeout <ms>        how long a request's head may take     (15000)
  --max-header-size <bytes>     how large it may be                    (16384)
  --max-sessions-per-tenant <number>                                   (100)
  --max-streams-per-session <number>    requests at a time             (1000)
  --drain-delay <ms>            asked to stop, still take requests so long, for
                                a load balancer to notice              (0)
  --ready-sessions <number>     agents' sessions before /readyz says 200
                                for the first time                     (0)
  --admin-host <address>        where the dashboard, /metrics, /healthz and /readyz
                                are; not on loopback, all but the last two ask
                                for the admin token                    (127.0.0.1)
  --admin-port <number>         0 for any free one, or none            (8081)
  --trust-forwarded      keep X-Forwarded-* of a proxy in front
  --help

  --issue-token <agent>  print a token for this agent and end
    --routes <a,b>       what it may serve: app.example,
                         app.example/api, tcp:postgres                 (localhost,127.0.0.1)
    --weight <number>    its sessions' share, with --balance weighted  (1)
    --tenant <name>      whose agent it is                             (default)
    --days <number>      how long the token opens sessions             (30)

Environment: TUNNEL_SECRET signs the tokens, at least 16 characters. Without it a gateway makes one up, and prints a token that
works until it ends. TUNNEL_ADMIN_TOKEN is asked for by the dashboard for whatever acts, at least 16 characters; likewise.
`;

const DAY = 86_400_000;

run(configure, async ({ gateway: options, admin: adminOptions, claims, issueOnly, tell }) => {
  if (issueOnly) {
    console.log(signToken(claims, options.secret));
    return;
  }
  const gateway = await TunnelGateway.listen(options);
  const admin = await listenForAdmin(gateway, adminOptions);
  onStop(async () => {
    await gateway.close(); // meanwhile /readyz says that it drains
    await admin?.close();
  });
  onCommand((command) => {
    if (command.type === 'drain') gateway.drain(command.agent, 'asked by the process that started the gateway');
    if (command.type === 'resume') gateway.resume(command.agent);
  });
  jsonLog('gateway listening', { url: gateway.url, tcp: Object.fromEntries(gateway.tcpPorts), admin: admin?.url });
  // In the fragment, the token goes to no server and into no log of one.
  const dashboard = admin && `${admin.url}#token=${encodeURIComponent(adminOptions.token)}`;
  notify({ type: 'ready', url: gateway.url, admin: dashboard });
  if (adminOptions.tell && dashboard !== undefined) console.log(`\nDashboard: ${dashboard}\n`);
  if (tell) {
    const url = `${gateway.url.replace('http', 'ws')}${options.agentPath}`;
    const token = signToken(claims, options.secret);
    console.log(`\nTry: pnpm agent --gateway ${url} --target http://127.0.0.1:3000 --token ${token}\n`);
  }
});

interface AdminConfig {
  readonly host: string;
  /** Undefined for no admin port. */
  readonly port: number | undefined;
  readonly token: string;
  /** Nobody else knows the token: print it. */
  readonly tell: boolean;
}

interface Config {
  readonly gateway: TunnelGatewayOptions;
  readonly admin: AdminConfig;
  /** Of the token to issue. */
  readonly claims: AgentClaims;
  readonly issueOnly: boolean;
  /** Nobody else knows the secret: print a token. */
  readonly tell: boolean;
}

type NumberFlag =
  | `${'idle' | 'joined-idle' | 'headers'}-timeout`
  | 'drain-delay'
  | 'ready-sessions'
  | `max-${'header-size' | 'sessions-per-tenant' | 'streams-per-session'}`;

function configure(): Config {
  const values = flags(HELP, {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8080' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
    'agent-path': { type: 'string', default: '/connect' },
    tcp: { type: 'string', multiple: true, default: [] },
    affinity: { type: 'string', default: 'none' },
    balance: { type: 'string', default: 'least-conn' },
    'idle-timeout': { type: 'string', default: '60000' },
    'joined-idle-timeout': { type: 'string', default: '600000' },
    'headers-timeout': { type: 'string', default: '15000' },
    'max-header-size': { type: 'string', default: '16384' },
    'max-sessions-per-tenant': { type: 'string', default: '100' },
    'max-streams-per-session': { type: 'string', default: '1000' },
    'drain-delay': { type: 'string', default: '0' },
    'ready-sessions': { type: 'string', default: '0' },
    'admin-host': { type: 'string', default: '127.0.0.1' },
    'admin-port': { type: 'string', default: '8081' },
    'trust-forwarded': { type: 'boolean', default: false },
    'issue-token': { type: 'string' },
    routes: { type: 'string', default: 'localhost,127.0.0.1' },
    weight: { type: 'string', default: '1' },
    tenant: { type: 'string', default: 'default' },
    days: { type: 'string', default: '30' },
  });
  const issueOnly = values['issue-token'] !== undefined;
  const given = process.env.TUNNEL_SECRET || undefined;
  if (issueOnly && given === undefined) throw new TypeError('expected TUNNEL_SECRET in the environment, to sign with');
  const secret = given ?? randomBytes(32).toString('base64url');
  checkSecret(secret);
  const givenAdminToken = process.env.TUNNEL_ADMIN_TOKEN || undefined;
  const adminToken = givenAdminToken ?? randomBytes(32).toString('base64url');
  checkAdminToken(adminToken);
  parseAffinity(values.affinity);
  parseBalance(values.balance);
  const number = (name: NumberFlag, min: number): number => wholeNumber(name, values[name], min, 2 ** 31 - 1);
  return {
    gateway: {
      secret,
      host: values.host,
      port: wholeNumber('port', values.port, 0, 65_535),
      tls: readCertificate(values['tls-cert'], values['tls-key']),
      agentPath: values['agent-path'],
      tcp: values.tcp.map(tcpServiceOf),
      affinity: values.affinity,
      balance: values.balance,
      idleTimeout: number('idle-timeout', 0),
      joinedIdleTimeout: number('joined-idle-timeout', 0),
      headersTimeout: number('headers-timeout', 1),
      maxHeaderSize: number('max-header-size', 1024),
      maxSessionsPerTenant: number('max-sessions-per-tenant', 1),
      maxStreamsPerSession: number('max-streams-per-session', 1),
      drainDelay: number('drain-delay', 0),
      readySessions: number('ready-sessions', 0),
      trustForwarded: values['trust-forwarded'],
      log: jsonLog,
    },
    admin: {
      host: values['admin-host'],
      port: values['admin-port'] === 'none' ? undefined : wholeNumber('admin-port', values['admin-port'], 0, 65_535),
      token: adminToken,
      tell: givenAdminToken === undefined,
    },
    claims: {
      agent: values['issue-token'] ?? 'first',
      tenant: values.tenant,
      routes: values.routes.split(','),
      weight: wholeNumber('weight', values.weight, 0, 1_000_000),
      expires: Date.now() + wholeNumber('days', values.days, 1, 36_500) * DAY,
    },
    issueOnly,
    tell: given === undefined,
  };
}

async function listenForAdmin(
  gateway: TunnelGateway,
  { host, port, token }: AdminConfig,
): Promise<AdminServer | undefined> {
  if (port === undefined) return undefined;
  try {
    const admin = await AdminServer.listen({ gateway, host, port, token });
    collectDefaultMetrics({ register: admin.metrics.registry }); // of the process, which is ours
    return admin;
  } catch (error) {
    await gateway.close(0); // the port is in use: nothing of us stays
    throw error;
  }
}

function tcpServiceOf(text: string): TcpService {
  const [port = '', name = ''] = text.split(/=(.*)/s, 2);
  return { name: checkTcpName(name), port: wholeNumber('tcp', port, 0, 65_535) };
}
