// A server without a port, published through a gateway: the agent is part of the program.
import { createServer, get } from 'node:http';
import { text } from 'node:stream/consumers';
import { issueToken, serveTunnel, TunnelGateway } from '@zishuo/tunnel';

// In production the gateway is another program on another machine.
const secret = 'a secret of this example only';
const gateway = await TunnelGateway.listen({ secret });
const expires = Date.now() + 3_600_000;
const token = await issueToken({ agent: 'app', tenant: 'acme', routes: ['app.example'], expires }, secret);

const app = createServer((request, response) => {
  response.end(`${request.method} ${request.url} for ${request.headers['x-forwarded-for']}\n`);
});
const joined = new Promise((resolve) => gateway.once('joined', resolve));
const agent = serveTunnel(app, { gateways: [`${gateway.url.replace('http', 'ws')}${gateway.agentPath}`], token });
await agent.connected;
await joined;

const answer = await new Promise<string>((resolve, reject) => {
  get(`${gateway.url}/hello`, { headers: { host: 'app.example' }, agent: false }, (response) => {
    text(response).then(resolve, reject);
  }).on('error', reject);
});
process.stdout.write(answer);
console.log(`the app listens: ${app.listening}`);

await agent.close();
await gateway.close();
