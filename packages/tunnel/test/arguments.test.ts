// What a program in plain JavaScript gives the classes of this package: each mistake is an error at once, in one line that says what to give.
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { TunnelAgent, type TunnelAgentOptions } from '../src/agent/tunnel-agent.ts';
import type { TunnelGatewayOptions } from '../src/gateway/options.ts';
import { TunnelGateway } from '../src/gateway/tunnel-gateway.ts';
import { serveTunnel } from '../src/serve-tunnel.ts';
import { issueToken } from '../src/token-keys.ts';

const SECRET = 'the secret of this test';

it('a gateway needs no log', async () => {
  const gateway = await TunnelGateway.listen({ secret: SECRET });
  await gateway.close(0);
});

it.each<[string, unknown, string]>([
  ['nothing', undefined, 'expected the options of TunnelGateway.listen() to be an object, got undefined'],
  ['a function', () => {}, 'expected the options of TunnelGateway.listen() to be an object, got function'],
  ['a misspelt option', { prot: 8080 }, "unknown option 'prot' of TunnelGateway.listen(); did you mean 'port'?"],
  ['an object as the log', { log: console }, 'expected log to be a function of an event and its fields, got object'],
])('a gateway with %s does not start, and says why', async (_what, given, message) => {
  const options = typeof given === 'object' ? { secret: SECRET, ...given } : given;
  await expect(TunnelGateway.listen(options as TunnelGatewayOptions)).rejects.toThrow(new TypeError(message));
});

const USABLE = { gateways: ['ws://127.0.0.1:1/connect'], token: 'a token', targets: createServer() };

it.each<[string, unknown, string]>([
  ['nothing', undefined, 'expected the options of TunnelAgent to be an object, got undefined'],
  [
    'a misspelt option',
    { ...USABLE, gateway: 'ws://127.0.0.1:1' },
    "unknown option 'gateway' of TunnelAgent; did you mean 'gateways'?",
  ],
  [
    'one URL as gateways',
    { ...USABLE, gateways: 'ws://127.0.0.1:1' },
    'expected gateways to be an array of one or more URLs, got string',
  ],
  [
    'no gateways',
    { ...USABLE, gateways: [] },
    'expected gateways to be an array of one or more URLs, got an empty one',
  ],
  ['no token', { ...USABLE, token: undefined }, 'expected token to be a string or a function, got undefined'],
  [
    'a URL as its target',
    { ...USABLE, targets: 'http://127.0.0.1:3000' },
    'expected targets to be Targets, as Targets.parse() makes them, or an HTTP server, got string',
  ],
  [
    'an object as the log',
    { ...USABLE, log: console },
    'expected log to be a function of an event and its fields, got object',
  ],
])('an agent with %s does not start, and says why', (_what, options, message) => {
  expect(() => new TunnelAgent(options as TunnelAgentOptions)).toThrow(new TypeError(message));
});

it('serveTunnel() says so where its options are missing', () => {
  const serve = serveTunnel as (server: unknown, options?: unknown) => unknown;
  const message = 'expected gateways to be an array of one or more URLs, got undefined';
  expect(() => serve(createServer())).toThrow(new TypeError(message));
});

it('a token without a secret to sign it is refused', async () => {
  const claims = { agent: 'a', tenant: 't', routes: ['app.example'], expires: 1 };
  const issue = issueToken as (claims: unknown, secret?: unknown) => Promise<string>;
  await expect(issue(claims)).rejects.toThrow(new TypeError('expected the secret to be a string, got undefined'));
});
