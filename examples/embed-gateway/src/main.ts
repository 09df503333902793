// A gateway inside a program: tokens for agents, served requests, responses to clients, and a revoked agent.
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { issueToken, Targets, TunnelAgent, TunnelGateway } from '@zishuo/tunnel';

const secret = 'a secret of this example only';
const gateway = await TunnelGateway.listen({ secret });
gateway.on('served', ({ service, status, agent }) =>
  console.log(`served: ${service}, ${status} by ${agent ?? 'nobody'}`),
);

/** Returns the response that a client gets for a host. */
function ask(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(gateway.url, { headers: { host }, agent: false }, (response) => {
      text(response).then((body) => resolve(`${response.statusCode} ${body.trim()}`), reject);
    }).on('error', reject);
  });
}

// In production the agent is another program on another machine. Its target does not listen, which affects only its own clients.
const expires = Date.now() + 3_600_000;
const agent = new TunnelAgent({
  gateways: [`${gateway.url.replace('http', 'ws')}${gateway.agentPath}`],
  token: await issueToken({ agent: 'laptop', tenant: 'acme', routes: ['app.example'], expires }, secret),
  targets: Targets.parse(['http://127.0.0.1:1']),
});
const joined = new Promise((resolve) => gateway.once('joined', resolve));
await agent.connected;
await joined;

console.log(await ask('app.example'));
console.log(await ask('nobody.example'));

gateway.revocations.revoke('agent', 'laptop');
await agent.ended.catch((error: Error & { status?: number }) => console.log(`the agent ends: ${error.status}`));
await gateway.close();
