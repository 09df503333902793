import { describe, expect, it, onTestFinished } from 'vitest';
import { GatewayTakenError, Spread } from '../../src/agent/spread.ts';
import { Targets } from '../../src/agent/targets.ts';
import { TunnelAgent } from '../../src/agent/tunnel-agent.ts';
import { type Gateway, startGateway, tokenFor } from '../support/tunnel.ts';

describe('a spread over gateways', () => {
  it('begins where chance says, and gives each link all gateways in an order of its own', () => {
    const spread = new Spread(['a', 'b', 'c'], () => 0.4);
    expect([spread.from(0), spread.from(1), spread.from(3)]).toEqual([
      ['b', 'c', 'a'],
      ['c', 'a', 'b'],
      ['b', 'c', 'a'],
    ]);
  });

  it('lets no two links go to one gateway, and gives a gateway free when its link leaves', () => {
    const spread = new Spread(['a', 'b', 'c'], () => 0);
    const [one, other] = [{}, {}];
    spread.take(one, 'a');
    expect(() => spread.take(other, 'a')).toThrow(GatewayTakenError);
    spread.take(other, 'b');
    spread.take(one, 'c');
    spread.take(other, 'a');
    spread.leave(other);
    spread.take(one, 'a');
  });
});

describe('an agent that is given three gateways', () => {
  const agentOf = (gateways: readonly Gateway[], more: { spread?: number } = {}): TunnelAgent => {
    const agent = new TunnelAgent({
      gateways: gateways.map(({ port }) => `ws://127.0.0.1:${port}/connect`),
      token: tokenFor('alpha'),
      targets: Targets.parse(['http://127.0.0.1:1']),
      log: () => {},
      ...more,
    });
    onTestFinished(() => agent.close(0));
    return agent;
  };
  const sessions = (gateways: readonly Gateway[]): readonly number[] =>
    gateways.map(({ gateway }) => gateway.routes.sessions.size);

  it('is connected to two of them, and goes to the third when one of these goes away', async () => {
    const gateways = [await startGateway(), await startGateway(), await startGateway()];
    await agentOf(gateways).connected;
    await expect.poll(() => [...sessions(gateways)].sort()).toEqual([0, 1, 1]);
    const left = gateways.find(({ gateway }) => gateway.routes.sessions.size === 1) as Gateway;
    await left.gateway.close();
    await expect.poll(() => sessions(gateways.filter((one) => one !== left)), { timeout: 20_000 }).toEqual([1, 1]);
  });

  it('is connected to as many as it is told', async () => {
    const gateways = [await startGateway(), await startGateway(), await startGateway()];
    await agentOf(gateways, { spread: 3 }).connected;
    await expect.poll(() => sessions(gateways)).toEqual([1, 1, 1]);
  });
});
