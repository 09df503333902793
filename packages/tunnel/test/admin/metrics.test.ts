import { connect } from 'node:net';
import { dial } from '@zishuo/yamux-websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startAdmin } from '../support/admin.ts';
import { ask } from '../support/http.ts';
import { type Family, parsePrometheus } from '../support/prometheus.ts';
import { askAndServe, signal, startAgent, startGateway } from '../support/tunnel.ts';

describe('/metrics', () => {
  it('is what a Prometheus parser takes, and is right after known traffic', async () => {
    const gateway = await startGateway({ tcp: [{ name: 'echo', port: 0 }] });
    const admin = await startAdmin(gateway);
    const scrape = async (): Promise<Map<string, Family>> => {
      const answer = await admin.ask('/metrics');
      expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
      return parsePrometheus(answer.body);
    };
    const figure = (families: Map<string, Family>, name: string, sample = ''): number | undefined =>
      families.get(name)?.samples.get(sample);

    const first = await scrape();
    expect(figure(first, 'tunnel_ready')).toBe(1);
    expect(figure(first, 'tunnel_agents')).toBe(0);
    expect(figure(first, 'tunnel_session_bytes_total', '{direction="up"}')).toBe(0);
    const served = signal<() => void>();
    const { relay } = await startAgent(gateway, {
      origin: (request, response) => {
        if (request.url === '/held') served.tell(() => response.end());
        else request.resume().once('end', () => response.end('x'.repeat(50_000)));
      },
      routes: ['app.example', 'tcp:echo'],
    });
    await startAgent(gateway, { origin: 'http://127.0.0.1:1', name: 'bravo', routes: ['down.example'] });
    await askAndServe(gateway, { method: 'POST', body: 'x'.repeat(80_000) });
    await askAndServe(gateway);
    await askAndServe(gateway, { host: 'down.example' });
    const stranger = 'made-up-by-a-client.example';
    await askAndServe(gateway, { host: stranger });
    const refused = dial(`ws://127.0.0.1:${gateway.port}/connect`, { headers: { Authorization: 'Bearer no.token' } });
    await expect(refused).rejects.toMatchObject({ status: 401 });
    const held = ask({ port: gateway.port, path: '/held' });
    const release = await served.happened;
    const cut = gateway.logged('served');
    const client = connect(Number(gateway.gateway.tcpPorts.get('echo')), '127.0.0.1').on('error', () => {});
    onTestFinished(() => void client.destroy());
    await cut; // the agent has no target of that name

    const families = await scrape();
    const requests = families.get('tunnel_requests_total');
    expect(requests?.type).toBe('counter');
    expect(Object.fromEntries(requests?.samples ?? [])).toEqual({
      '{kind="http",outcome="complete",status="2xx"}': 2,
      '{kind="http",outcome="refused",status="5xx"}': 1, // the agent said that its target is not there
      '{kind="http",outcome="refused",status="4xx"}': 1,
      '{kind="tcp",outcome="refused",status="none"}': 1,
    });
    expect(figure(families, 'tunnel_request_duration_seconds', '_count{kind="http"}')).toBe(4);
    expect(figure(families, 'tunnel_request_duration_seconds', '_bucket{kind="http",le="+Inf"}')).toBe(4);
    expect(figure(families, 'tunnel_requests_running')).toBe(1);
    expect(figure(families, 'tunnel_tcp_connections')).toBe(0);
    expect(figure(families, 'tunnel_agents')).toBe(2);
    expect(figure(families, 'tunnel_agent_sessions')).toBe(2);
    expect(figure(families, 'tunnel_sessions_joined_total')).toBe(2);
    expect(figure(families, 'tunnel_agents_refused_total', '{status="401"}')).toBe(1);
    const [up = 0, down = 0] = ['up', 'down'].map((direction) =>
      figure(families, 'tunnel_session_bytes_total', `{direction="${direction}"}`),
    );
    expect([up > 80_000 && up < 100_000, down > 100_000 && down < 120_000]).toEqual([true, true]);
    expect(figure(families, 'yamux_pool_sessions', '{pool="default",state="available"}')).toBe(2);
    expect(figure(families, 'yamux_pool_streams', '{pool="default",state="active"}')).toBe(1);
    expect(figure(families, 'yamux_pool_session_streams', '{id="alpha",pool="default"}')).toBe(1);
    expect([...families.values()].flatMap(({ samples }) => [...samples.keys()]).join()).not.toContain(stranger);

    release();
    await held;
    const gone = gateway.logged('agent gone');
    relay.cut(true);
    await gone;
    const closed = gateway.gateway.close(0);
    const last = await scrape();
    expect(figure(last, 'tunnel_ready')).toBe(0);
    expect(figure(last, 'tunnel_session_bytes_total', '{direction="up"}')).toBeGreaterThan(up); // a counter never falls
    await closed;
  });
});

describe('the parser of these tests', () => {
  it('reads labels, escapes and histograms', () => {
    const text =
      '# HELP a_b A.\n# TYPE a_b histogram\na_b_bucket{le="1",x="\\"\\\\\\n"} 2\na_b_sum 1e-3\na_b_count 2\n';
    expect(parsePrometheus(text).get('a_b')).toEqual({
      type: 'histogram',
      help: 'A.',
      samples: new Map([
        ['_bucket{le="1",x="\\"\\\\\\n"}', 2],
        ['_sum', 0.001],
        ['_count', 2],
      ]),
    });
  });

  it.each([
    ['# HELP a A.\n# TYPE a gauge\na 1', 'line feed'],
    ['# TYPE a gauge\na 1\n', 'without its help'],
    ['# HELP a A.\n# TYPE a meter\na 1\n', 'unknown type'],
    ['# HELP a A.\n# TYPE a gauge\nb 1\n', 'outside of its family'],
    ['# HELP a A.\n# TYPE a gauge\na one\n', 'no number'],
    ['# HELP a A.\n# TYPE a gauge\na{x=1} 1\n', 'no sample'],
    ['# HELP a A.\n# TYPE a gauge\na{x="1",x="2"} 1\n', 'a label twice'],
    ['# HELP a A.\n# TYPE a gauge\na 1\na 1\n', 'a sample twice'],
    ['# HELP a A.\n# TYPE a counter\na -1\n', 'below 0'],
  ])('refuses %j', (text, why) => {
    expect(() => parsePrometheus(text)).toThrow(why);
  });
});
