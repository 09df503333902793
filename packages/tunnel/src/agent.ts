#!/usr/bin/env node
// The agent as a program: dials its gateways and serves their requests until it is stopped.
import { readFileSync } from 'node:fs';
import { linkFailure } from './agent/link-failure.ts';
import { readCa, Targets } from './agent/targets.ts';
import { TunnelAgent, type TunnelAgentOptions } from './agent/tunnel-agent.ts';
import { jsonLog } from './log.ts';
import { flags, notify, onCommand, onStop, run, wholeNumber } from './program.ts';

const HELP = `Usage: tunnel-agent --target [<route>=]<url> [options]

Dials gateways by WebSocket and forwards what comes back to local servers.

  --gateway <url>            ws: or wss: URL of a gateway; may be given again     (ws://127.0.0.1:8080/connect)
  --target [<route>=]<url>   local server: http://127.0.0.1:3000 for every route,
                             app.example/api=http://127.0.0.1:4000 for one,
                             https://127.0.0.1:8443, unix:/run/app.sock,
                             tcp:postgres=tcp://127.0.0.1:5432 for raw TCP;
                             may be given again; nothing else is reached. After
                             a comma, for this one alone: rewrite-host,
                             rewrite-host=<host>, strip-prefix, ca=<file>, insecure
  --rewrite-host             ask each target for its own host, not the public one
  --strip-prefix             take the path of its route away from requests
  --target-ca <file>         certificates, in PEM, that https: targets may have
  --target-insecure          take any certificate of https: targets
  --spread <number>          gateways to be connected to at a time, if more are
                             given: in a fleet each serves the agents of all      (2)
  --connections <number>     sessions to each of these: the agent's share         (1)
  --token <token>            what "tunnel-gateway --issue-token" printed          (TUNNEL_TOKEN of the environment)
  --token-file <file>        a file with the token, read again at each dial
  --help

Environment: TUNNEL_TOKEN is the token. NODE_EXTRA_CA_CERTS names a file with the certificates, in PEM, that a wss: gateway may have besides
those of well-known authorities. HTTPS_PROXY, for ws: HTTP_PROXY, is a proxy to dial through; NO_PROXY names hosts without one.
`;

run(configure, async (options) => {
  const agent = new TunnelAgent(options);
  onStop(() => agent.close());
  onCommand(() => {}); // no commands of its own; the parent can ask for its memory
  await agent.dialed;
  notify({ type: 'ready', url: '' });
  await agent.ended.catch((error: unknown) => {
    throw new Error(linkFailure(error), { cause: error });
  });
});

function configure(): TunnelAgentOptions {
  const values = flags(HELP, {
    gateway: { type: 'string', multiple: true, default: ['ws://127.0.0.1:8080/connect'] },
    target: { type: 'string', multiple: true, default: [] },
    'rewrite-host': { type: 'boolean', default: false },
    'strip-prefix': { type: 'boolean', default: false },
    'target-ca': { type: 'string' },
    'target-insecure': { type: 'boolean', default: false },
    spread: { type: 'string', default: '2' },
    connections: { type: 'string', default: '1' },
    token: { type: 'string', default: process.env.TUNNEL_TOKEN ?? '' },
    'token-file': { type: 'string' },
  });
  const file = values['token-file'];
  const token = file === undefined ? values.token : () => readToken(file);
  if (typeof token === 'function') token(); // fails now, not at a dial, if there is no token
  if (token === '') throw new TypeError('expected --token, --token-file, or TUNNEL_TOKEN in the environment');
  for (const url of values.gateway) {
    if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) {
      throw new TypeError(`expected --gateway to be a ws: or wss: URL, got "${url}"`);
    }
  }
  const ca = values['target-ca'];
  return {
    gateways: values.gateway,
    token,
    targets: Targets.parse(values.target, {
      rewriteHost: values['rewrite-host'] ? 'target' : undefined,
      stripPrefix: values['strip-prefix'],
      insecure: values['target-insecure'],
      ca: ca === undefined ? undefined : readCa(ca, '--target-ca'),
    }),
    spread: wholeNumber('spread', values.spread, 1, 1_024),
    connections: wholeNumber('connections', values.connections, 1, 64),
    log: jsonLog,
  };
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(`expected --token-file to be a file with a token, got "${file}": ${(error as Error).message}`);
  }
}
