import { describe, expect, it } from 'vitest';
import { Traffic } from '../../src/admin/traffic.ts';
import { askAndServe, startAgent, startGateway } from '../support/tunnel.ts';

const last = (values: readonly number[]): number | undefined => values.at(-1);

describe('traffic', () => {
  it('is counted by session and in all, and keeps the bytes of sessions that have left', async () => {
    const gateway = await startGateway();
    const traffic = new Traffic(gateway.gateway, 0);
    const { relay } = await startAgent(gateway, { origin: (request, response) => void request.pipe(response) });
    await startAgent(gateway, { name: 'bravo', origin: (_request, response) => response.end(), routes: ['b.example'] });
    const [session, other] = gateway.gateway.routes.sessions;
    if (session === undefined || other === undefined) throw new Error('the agents have joined');
    await askAndServe(gateway, { method: 'POST', body: 'x'.repeat(100_000) });
    await askAndServe(gateway, { host: 'b.example' });
    const { up, down } = traffic.bytes;
    expect([up, down].every((bytes) => bytes > 100_000 && bytes < 110_000)).toBe(true);
    const gone = gateway.logged('agent gone');
    relay.cut(true);
    await gone;
    const [left, stays] = [session.session.stats(), other.session.stats()];
    const all = { up: left.bytesSent + stays.bytesSent, down: left.bytesReceived + stays.bytesReceived };
    expect(traffic.bytes).toEqual(all);
    expect(traffic.bytes).toEqual(all); // read again, without the one that has left
    expect(traffic.plotOf(session)).toEqual({ up: [], down: [] });
    traffic.close();
  });

  it('is sampled as what moved per second since the sample before, for the last sixty', async () => {
    const gateway = await startGateway();
    const traffic = new Traffic(gateway.gateway, 0);
    await startAgent(gateway, { origin: (request, response) => void request.pipe(response) });
    const [session] = gateway.gateway.routes.sessions;
    if (session === undefined) throw new Error('the agent has joined');
    traffic.sample(1_000);
    const before = traffic.bytes;
    await askAndServe(gateway, { method: 'POST', body: 'x'.repeat(100_000) });
    await askAndServe(gateway, { method: 'POST', body: 'x'.repeat(100_000) });
    const after = traffic.bytes;
    traffic.sample(5_000); // four seconds for them
    expect(last(traffic.plot.up)).toBe(Math.round((after.up - before.up) / 4));
    expect(last(traffic.plot.down)).toBe(Math.round((after.down - before.down) / 4));
    expect(traffic.plotOf(session)).toEqual({ up: traffic.plot.up, down: traffic.plot.down });
    expect([last(traffic.plot.requests), last(traffic.plot.running), last(traffic.plot.failed)]).toEqual([0.5, 0, 0]);
    for (let second = 6; second <= 100; second += 1) traffic.sample(second * 1_000);
    expect([traffic.plot.up.length, traffic.plot.requests.length]).toEqual([60, 60]);
    traffic.close();
  });

  it('counts what fails by the gateway or its agents, and not what a client did', async () => {
    const gateway = await startGateway();
    const traffic = new Traffic(gateway.gateway, 0);
    await askAndServe(gateway, { host: 'unknown.example' });
    expect([traffic.served, traffic.failed]).toEqual([1, 0]);
    await startAgent(gateway, { origin: 'http://127.0.0.1:1' });
    await askAndServe(gateway); // 502: its target is not there
    expect([traffic.served, traffic.failed, traffic.failedLately]).toEqual([2, 1, 1]);
    traffic.sample(1_000);
    expect([last(traffic.plot.failed), traffic.failedLately]).toEqual([1, 1]);
    for (let second = 2; second <= 61; second += 1) traffic.sample(second * 1_000);
    expect([traffic.failed, traffic.failedLately]).toEqual([1, 0]);
    traffic.close();
  });
});
