// The agent as a program: dials its gateways and serves their requests until it is asked to stop.
import { Targets } from './agent/targets.ts';
import { TunnelAgent, type TunnelAgentOptions } from './agent/tunnel-agent.ts';
import { jsonLog } from './log.ts';
import { flags, notify, onCommand, onStop, run, wholeNumber } from './program.ts';

const HELP = `Usage: agent --target [<route>=]<url> [options]

Dials gateways by WebSocket and forwards what comes back to local servers.

  --gateway <url>            ws: or wss: URL of a gateway; may be given again     (ws://127.0.0.1:8080/connect)
  --target [<route>=]<url>   local server: http://127.0.0.1:3000 for every route,
                             app.example/api=http://127.0.0.1:4000 for one,
                             tcp:postgres=tcp://127.0.0.1:5432 for raw TCP;
                             may be given again; nothing else is reached
  --connections <number>     sessions to each gateway: the agent's share          (1)
  --token <token>            what "gateway --issue-token" printed                 (TUNNEL_TOKEN of the environment)
  --help

Environment: TUNNEL_TOKEN is the token. NODE_EXTRA_CA_CERTS names a file with the certificates, in PEM, that a wss: gateway may have besides
those of well-known authorities.
`;

run(configure, async (options) => {
  const agent = new TunnelAgent(options);
  onStop(() => agent.close());
  onCommand(() => {}); // no commands of its own; that it lives and how large it is can be asked
  await Promise.race([agent.connected, agent.ended]);
  notify({ type: 'ready', url: '' });
  await agent.ended;
});

function configure(): TunnelAgentOptions {
  const values = flags(HELP, {
    gateway: { type: 'string', multiple: true, default: ['ws://127.0.0.1:8080/connect'] },
    target: { type: 'string', multiple: true, default: [] },
    connections: { type: 'string', default: '1' },
    token: { type: 'string', default: process.env.TUNNEL_TOKEN ?? '' },
  });
  if (values.token === '') throw new TypeError('expected --token, or TUNNEL_TOKEN in the environment');
  for (const url of values.gateway) {
    if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) {
      throw new TypeError(`expected --gateway to be a ws: or wss: URL, got "${url}"`);
    }
  }
  return {
    gateways: values.gateway,
    token: values.token,
    targets: Targets.parse(values.target),
    connections: wholeNumber('connections', values.connections, 1, 64),
    log: jsonLog,
  };
}
