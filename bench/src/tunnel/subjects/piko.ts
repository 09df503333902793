// piko, from the user's release: BENCH_PIKO names its program.
import { type Child, type Children, freePort } from '../children.ts';
import { HOST, type Subject } from '../subject.ts';

/** piko routes by the first label of the host. */
const [ENDPOINT = ''] = HOST.split('.');

interface Ports {
  readonly proxy: number;
  readonly upstream: number;
  readonly admin: number;
  readonly gossip: number;
}

function piko(program: string): Subject {
  const startServer = async (children: Children, ports: Ports): Promise<Child> => {
    const binds = Object.entries(ports).flatMap(([name, port]) => [`--${name}.bind-addr`, `127.0.0.1:${port}`]);
    const server = children.start('piko-server', program, ['server', ...binds]);
    await children.listening(ports.upstream);
    return server;
  };
  const startAgent = async (children: Children, ports: Ports, listeners: readonly Listener[]): Promise<Child> => {
    const config = children.write(
      'agent.yaml',
      `connect:
  url: http://127.0.0.1:${ports.upstream}
server:
  bind_addr: "127.0.0.1:${await freePort()}"
listeners:
${listeners.map(({ endpoint, port }) => `  - endpoint_id: ${endpoint}\n    addr: "127.0.0.1:${port}"`).join('\n')}
`,
    );
    return children.start('piko-agent', program, ['agent', 'start', '--config.path', config]);
  };
  return {
    name: 'piko',
    version: '',
    note: 'one server and one agent, their defaults, no TLS',
    async start(children, originPort) {
      const ports = await freePorts();
      const near = await startServer(children, ports);
      const far = await startAgent(children, ports, [{ endpoint: ENDPOINT, port: originPort }]);
      return { url: `http://127.0.0.1:${ports.proxy}`, near, far };
    },
    async idle(children, agents) {
      const ports = await freePorts();
      return {
        async startServer() {
          return { server: await startServer(children, ports), count: () => connectedTo(ports.admin) };
        },
        async startAgents() {
          const listeners = Array.from({ length: agents }, (_, number) => ({ endpoint: `agent-${number}`, port: 9 }));
          await startAgent(children, ports, listeners);
        },
      };
    },
  };
}

interface Listener {
  readonly endpoint: string;
  readonly port: number;
}

async function freePorts(): Promise<Ports> {
  const [proxy, upstream] = [await freePort(), await freePort()];
  return { proxy, upstream, admin: await freePort(), gossip: await freePort() };
}

/** Listeners by endpoint; each has its own connection. */
async function connectedTo(adminPort: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/status/upstream/endpoints`);
  const endpoints = (await response.json()) as Readonly<Record<string, number>>;
  return Object.values(endpoints).reduce((sum, count) => sum + count, 0);
}

const { BENCH_PIKO: program } = process.env;
export const pikoSubjects: readonly Subject[] = program === undefined ? [] : [piko(program)];
