#!/usr/bin/env node
// The gateway as a program. With `--issue-token` it prints a token for an agent and ends; else it serves until it is stopped.
import { randomBytes } from 'node:crypto';
import { collectDefaultMetrics } from 'prom-client';
import { checkAdminToken } from './admin/access.ts';
import { AdminServer } from './admin/admin-server.ts';
import { engineDirectory, FLEET_FLAGS, FLEET_HELP, type FleetFlags, fleetFlags } from './fleet-flags.ts';
import { parseAffinity } from './gateway/affinity.ts';
import { parseBalance } from './gateway/balance.ts';
import { CertificateFiles, expiryOf, readCertificate } from './gateway/certificate.ts';
import {
  boundsOf,
  defaultOf,
  GATEWAY_NUMBERS,
  type GatewayNumber,
  type TunnelGatewayOptions,
} from './gateway/options.ts';
import { Revocations } from './gateway/revocations.ts';
import type { TcpService } from './gateway/tcp-listener.ts';
import { TunnelGateway } from './gateway/tunnel-gateway.ts';
import { type ListenFlags, listenFailure } from './listen-failure.ts';
import { jsonLog } from './log.ts';
import { flags, notify, onCommand, onReload, onStop, run, wholeNumber } from './program.ts';
import { checkTcpName } from './tcp-service.ts';
import type { AgentClaims } from './token.ts';
import { checkClaims, checkSecret } from './token.ts';
import { issueToken, TokenKeys } from './token-keys.ts';
import { parentDirectory } from './workers/parent-directory.ts';
import { WORKERS_SECRET, Workers, workerNumber } from './workers/workers.ts';

const HELP = `Usage: tunnel-gateway [options]

Public HTTP or HTTPS in, agents' WebSockets in on the same port. Requests go to the agents that serve their Host and path.

  --host <address>       address to listen on                          (127.0.0.1)
  --port <number>        port to listen on, 0 for any free one         (8080)
  --tls-cert <file>      speak TLS there, with this certificate and those
                         between it and its root, in PEM; read again when it
                         changes, and on SIGHUP
  --tls-key <file>       its private key, in PEM; likewise
  --agent-path <path>    where agents dial in                          (/connect)
  --agent-host <host>    the Host by which they must                   (any)
  --agent-port <number>  a port of their own for agents                (the public one)
  --tcp <port>=<name>    take raw TCP on this port, for the agents that serve
                         tcp:<name>; may be given again
  --affinity <by>        keep a client on one agent: header:<name>,
                         cookie:<name> (also one that the application sets),
                         sticky (a cookie of the gateway's own), ip, which
                         holds for TCP too, or none                    (none)
  --balance <how>        spread all other requests: least-conn, weighted,
                         round-robin or random                         (least-conn)
  --trusted-hops <number>       proxies in front whose X-Forwarded-* are believed    (0)
  --trust-forwarded      the same as --trusted-hops 1
  --drain-delay <ms>            asked to stop, still take requests so long, for
                                a load balancer to notice              (0)
  --web-socket-drain <ms>       then tell WebSockets to close (1001)   (10000)
  --ready-sessions <number>     agents' sessions before /readyz says 200
                                for the first time                     (0)
  --help

Limits. 0 is none, where it is a time or a rate:

  --open-timeout <ms>           to find an agent that takes a request  (30000)
  --attempt-timeout <ms>        that one agent has to take it          (3000)
  --agent-wait <ms>             for one, where none is there           (0)
  --idle-timeout <ms>           give up an exchange on which no byte moves    (60000)
  --joined-idle-timeout <ms>    the same for WebSockets and TCP        (600000)
  --headers-timeout <ms>        how long a request's head may take     (15000)
  --body-timeout <ms>           how long its body may, unanswered      (3600000)
  --min-body-rate <bytes>       a second, that such a body must bring  (100)
  --min-answer-rate <bytes>     a second, that a client must take      (100)
  --max-header-size <bytes>     how large a head may be                (16384)
  --max-headers-count <number>  how many headers it may have           (4096)
  --max-answer-header-size <bytes>      the head of an answer          (65536)
  --max-pipelined <number>      requests of a connection that wait     (100)
  --max-waiting-per-route <number>      requests that wait for an agent       (100)
  --max-connections-per-address <number>                               (1000)
  --max-requests-per-address <number>   at a time, by the client's address    (512)
  --max-sessions-per-tenant <number>                                   (100)
  --max-requests-per-tenant <number>    at a time                      (10000)
  --max-messages-per-tenant <number>    a second, of its agents        (100000)
  --max-window-growth-per-tenant <bytes>                               (67108864)
  --max-streams-per-session <number>    requests at a time             (1000)
  --max-dials-per-second <number>       of a tenant's agents           (1000)

The admin port:

  --admin-host <address>        where the dashboard, /metrics, /healthz and /readyz
                                are; not on loopback, all but the last two ask
                                for the admin token                    (127.0.0.1)
  --admin-port <number>         0 for any free one, or none            (8081)

${FLEET_HELP}
Who may dial in:

  --keys <file>          check tokens by these keys, a JSON Web Key Set, too;
                         read again when it changes
  --jwks-url <url>       and by those of an identity provider
  --token-issuer <text>  what iss must be in their tokens
  --token-audience <text>       and aud
  --revoked <file>       lines "agent <name>", "tenant <name>", "token <id>" of
                         those that are refused; read again when it changes

  --issue-token <agent>  print a token for this agent and end
    --routes <a,b>       what it may serve: app.example, *.app.example,
                         app.example/api, tcp:postgres                 (localhost,127.0.0.1)
    --weight <number>    its sessions' share, with --balance weighted  (1)
    --tenant <name>      whose agent it is                             (default)
    --days <number>      how long the token is good                    (30)

Environment: TUNNEL_SECRET signs the tokens, at least 16 characters. Without it, and without other keys, a gateway makes one up, and prints a
token that works until it ends. TUNNEL_ADMIN_TOKEN is asked for by the dashboard for whatever acts, at least 16 characters; likewise.
`;

const DAY = 86_400_000;
/** What starts an agent where this program was started: in the repository, or from the package. */
const AGENT = import.meta.url.endsWith('.ts') ? 'pnpm agent' : 'npx -p @zishuo/tunnel tunnel-agent';

run(configure, async (config) => {
  const { gateway: options, admin: adminOptions, certificate, claims, issueOnly, secret, tell } = config;
  if (issueOnly) {
    console.log(await issueToken(claims, secret));
    return;
  }
  if (config.workers > 1 && config.worker === undefined) {
    await runWorkers(config);
    return;
  }
  const directory = config.fleet && (await engineDirectory(config.fleet));
  const fleet = config.fleet && { ...config.fleet.options, directory };
  const gateway = await TunnelGateway.listen({ ...options, fleet: fleet ?? fleetOfWorkers(config.worker) }).catch(
    (error: unknown) => {
      throw listenFailure(error, config.listens);
    },
  );
  const admin = await listenForAdmin(gateway, adminOptions);
  onStop(async () => {
    await gateway.close(); // meanwhile /readyz reports that it drains
    await admin?.close();
    await directory?.close();
    certificate?.close();
  });
  certificate?.watch(
    (next) => {
      gateway.setCertificate(next);
      jsonLog('certificate read', { expires: new Date(expiryOf(next)).toISOString() });
    },
    (error) => jsonLog('certificate not read', { error: error.message }),
  );
  onReload(() => {
    jsonLog('files are read again', {});
    for (const files of [certificate, options.keys, options.revocations]) files?.reload();
  });
  onCommand((command) => {
    if (command.type === 'drain') gateway.drain(command.agent, 'asked by the process that started the gateway');
    if (command.type === 'resume') gateway.resume(command.agent);
  });
  const tcp = Object.fromEntries(gateway.tcpPorts);
  const agents = gateway.agentUrl === gateway.url ? undefined : gateway.agentUrl;
  const peers = gateway.fleet?.address;
  jsonLog('gateway listening', { url: gateway.url, agents, tcp, admin: admin?.url, peers, worker: config.worker });
  // A token in the fragment is not sent to a server, and so not logged there.
  const dashboard = admin && `${admin.url}#token=${encodeURIComponent(adminOptions.token)}`;
  notify({ type: 'ready', url: gateway.url, agents: gateway.agentUrl, admin: dashboard });
  if (config.worker !== undefined) return; // the parent prints the text for people
  if (adminOptions.tell && dashboard !== undefined) console.log(`\nDashboard: ${dashboard}\n`);
  if (tell) await tellAgent(gateway.agentUrl, config);
});

async function tellAgent(agentUrl: string, { gateway, claims, secret }: Config): Promise<void> {
  const url = `${agentUrl.replace('http', 'ws')}${gateway.agentPath}`;
  const token = await issueToken(claims, secret);
  console.log(`\nTry: ${AGENT} --gateway ${url} --target http://127.0.0.1:3000 --token ${token}\n`);
}

/** This process does not serve: its workers do, with the secrets that it generated. */
async function runWorkers(config: Config): Promise<void> {
  const { admin, secret, tell } = config;
  const peerSecret = randomBytes(32).toString('base64url');
  const env = {
    ...(tell ? { TUNNEL_SECRET: secret } : {}),
    TUNNEL_ADMIN_TOKEN: admin.token,
    [WORKERS_SECRET]: peerSecret,
  };
  const onReady = (worker: number, pid: number): void => notify({ type: 'worker', worker, pid });
  const { workers, ready } = await Workers.start({ count: config.workers, env, log: jsonLog, onReady }).catch(
    (error: unknown) => {
      process.exit((error as { readonly exitCode?: number }).exitCode ?? 1); // the worker has printed the reason
    },
  );
  onStop(() => workers.stop());
  onReload(() => workers.reload());
  onCommand((command) => {
    if (command.type === 'drain' || command.type === 'resume') workers.send(command);
  });
  const [{ url = '', agents = '', admin: dashboard } = {}] = ready;
  notify({ type: 'ready', url, agents, admin: dashboard });
  if (admin.tell) for (const { admin: each } of ready) if (each !== undefined) console.log(`Dashboard: ${each}`);
  if (tell) await tellAgent(agents, config);
}

function fleetOfWorkers(worker: number | undefined): TunnelGatewayOptions['fleet'] {
  if (worker === undefined) return undefined;
  const peers = { listen: { host: '127.0.0.1', port: 0 }, secret: process.env[WORKERS_SECRET] };
  return { name: `worker-${worker}`, directory: parentDirectory(), peers };
}

interface AdminConfig {
  readonly host: string;
  /** Undefined for no admin port. */
  readonly port: number | undefined;
  readonly token: string;
  /** Print the token, because only this process knows it. */
  readonly tell: boolean;
}

interface Config {
  readonly gateway: TunnelGatewayOptions;
  /** Undefined: without an engine. */
  readonly fleet: FleetFlags | undefined;
  readonly workers: number;
  /** Which of them this process is; undefined for none. */
  readonly worker: number | undefined;
  readonly listens: ListenFlags;
  readonly certificate: CertificateFiles | undefined;
  readonly admin: AdminConfig;
  /** Of the token to issue. */
  readonly claims: AgentClaims;
  readonly issueOnly: boolean;
  readonly secret: string;
  /** Print a token, because only this process knows the secret. */
  readonly tell: boolean;
}

function configure(): Config {
  const values = flags(HELP, {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8080' },
    'tls-cert': { type: 'string' },
    'tls-key': { type: 'string' },
    'agent-path': { type: 'string', default: '/connect' },
    'agent-host': { type: 'string' },
    'agent-port': { type: 'string' },
    tcp: { type: 'string', multiple: true, default: [] },
    affinity: { type: 'string', default: 'none' },
    balance: { type: 'string', default: 'least-conn' },
    'admin-host': { type: 'string', default: '127.0.0.1' },
    'admin-port': { type: 'string', default: '8081' },
    'trust-forwarded': { type: 'boolean', default: false },
    keys: { type: 'string' },
    'jwks-url': { type: 'string' },
    'token-issuer': { type: 'string' },
    'token-audience': { type: 'string' },
    revoked: { type: 'string' },
    'issue-token': { type: 'string' },
    routes: { type: 'string', default: 'localhost,127.0.0.1' },
    weight: { type: 'string', default: '1' },
    tenant: { type: 'string', default: 'default' },
    days: { type: 'string', default: '30' },
    workers: { type: 'string', default: '1' },
    ...FLEET_FLAGS,
    ...Object.fromEntries(GATEWAY_NUMBERS.map((name) => [flagOf(name), { type: 'string' as const }])),
  });
  const issueOnly = values['issue-token'] !== undefined;
  const given = process.env.TUNNEL_SECRET || undefined;
  if (issueOnly && given === undefined) throw new TypeError('expected TUNNEL_SECRET in the environment, to sign with');
  const hasKeys = values.keys !== undefined || values['jwks-url'] !== undefined;
  const secret = given ?? randomBytes(32).toString('base64url');
  checkSecret(secret);
  const givenAdminToken = process.env.TUNNEL_ADMIN_TOKEN || undefined;
  const adminToken = givenAdminToken ?? randomBytes(32).toString('base64url');
  checkAdminToken(adminToken);
  parseAffinity(values.affinity);
  parseBalance(values.balance);
  const numbers: Partial<Record<GatewayNumber, number>> = {};
  const texts: Readonly<Record<string, unknown>> = values;
  for (const name of GATEWAY_NUMBERS) {
    const text = texts[flagOf(name)];
    numbers[name] = typeof text === 'string' ? wholeNumber(flagOf(name), text, ...boundsOf(name)) : defaultOf(name);
  }
  const claims = checkClaims({
    agent: values['issue-token'] ?? 'first',
    tenant: values.tenant,
    routes: values.routes.split(','),
    weight: wholeNumber('weight', values.weight, 0, 1_000_000),
    expires: Date.now() + wholeNumber('days', values.days, 1, 36_500) * DAY,
  });
  const worker = workerNumber();
  const fleet = issueOnly ? undefined : fleetFlags(values, process.env, worker);
  if (fleet !== undefined && given === undefined && !hasKeys)
    throw new TypeError(
      'expected TUNNEL_SECRET, --keys or --jwks-url with --fleet: its gateways must take the same tokens',
    );
  const ports = new Map<number, string>();
  const port = (name: string, text: string): number => {
    const number = wholeNumber(name, text, 0, 65_535);
    ports.set(number, `--${name}`);
    return number;
  };
  const agentPort = values['agent-port'];
  const tls = readCertificate(values['tls-cert'], values['tls-key']);
  return {
    gateway: {
      ...numbers,
      secret: given ?? (hasKeys ? undefined : secret),
      keys: issueOnly ? undefined : keysOf(given ?? (hasKeys ? undefined : secret), values),
      revocations: issueOnly ? undefined : new Revocations(values.revoked),
      host: values.host,
      port: port('port', values.port),
      tls,
      agentPath: values['agent-path'],
      agentHost: values['agent-host'],
      agentPort: agentPort === undefined ? undefined : port('agent-port', agentPort),
      tcp: values.tcp.map((text) => tcpServiceOf(text, port)),
      affinity: values.affinity,
      balance: values.balance,
      trustForwarded: values['trust-forwarded'],
      log: jsonLog,
    },
    fleet,
    workers: wholeNumber('workers', values.workers, 1, 1_024),
    worker,
    listens: { host: '--host', ports },
    certificate:
      tls === undefined || issueOnly
        ? undefined
        : new CertificateFiles(values['tls-cert'] as string, values['tls-key'] as string),
    admin: {
      host: values['admin-host'],
      port: adminPortOf(values['admin-port'], worker, port),
      token: adminToken,
      tell: givenAdminToken === undefined,
    },
    claims,
    issueOnly,
    secret,
    tell: given === undefined && !hasKeys,
  };
}

/** Each worker has one of its own. */
function adminPortOf(text: string, worker = 1, portOf: (flag: string, text: string) => number): number | undefined {
  if (text === 'none') return undefined;
  const first = portOf('admin-port', text);
  return first === 0 ? 0 : portOf('admin-port', String(first + worker - 1));
}

/** idleTimeout is --idle-timeout. */
function flagOf(name: GatewayNumber): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

interface KeyFlags {
  readonly keys?: string | undefined;
  readonly 'jwks-url'?: string | undefined;
  readonly 'token-issuer'?: string | undefined;
  readonly 'token-audience'?: string | undefined;
}

function keysOf(secret: string | undefined, flagged: KeyFlags): TokenKeys {
  const url = flagged['jwks-url'];
  if (url !== undefined && !(/^https?:\/\//.test(url) && URL.canParse(url)))
    throw new TypeError(`expected --jwks-url to be a URL, got "${url}"`);
  return new TokenKeys({
    secret,
    file: flagged.keys,
    url,
    issuer: flagged['token-issuer'],
    audience: flagged['token-audience'],
  });
}

async function listenForAdmin(
  gateway: TunnelGateway,
  { host, port, token }: AdminConfig,
): Promise<AdminServer | undefined> {
  if (port === undefined) return undefined;
  try {
    const admin = await AdminServer.listen({ gateway, host, port, token, log: jsonLog });
    collectDefaultMetrics({ register: admin.metrics.registry }); // this program owns the process
    return admin;
  } catch (error) {
    await gateway.close(0); // release all ports
    throw listenFailure(error, { host: '--admin-host', ports: new Map([[port, '--admin-port']]) });
  }
}

function tcpServiceOf(text: string, portOf: (flag: string, text: string) => number): TcpService {
  const [port = '', name = ''] = text.split(/=(.*)/s, 2);
  return { name: checkTcpName(name), port: portOf('tcp', port) };
}
