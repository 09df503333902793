// Our gateway and agent, as the installed programs.
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { issueToken } from '@zishuo/tunnel';
import { versionOf } from '../../implementations/version.ts';
import { nodeArguments } from '../../programs.ts';
import { certificateIn } from '../certificate.ts';
import { type Children, freePort } from '../children.ts';
import { HOST, type Subject } from '../subject.ts';

const SECRET = 'no secret at all: only a bench';
const DAY_MS = 86_400_000;

/** The arguments for node to run one of the two programs. The package exports only its index; the programs are beside it. */
function program(name: 'gateway' | 'agent'): string[] {
  const index = import.meta.resolve('@zishuo/tunnel');
  return nodeArguments(new URL(`./${name}${extname(index)}`, index));
}

function tunnel(name: string, isTls: boolean): Subject {
  return {
    name,
    version: versionOf('@zishuo/tunnel'),
    note: `tunnel-gateway and tunnel-agent, one session, ${isTls ? 'TLS at the gateway, for clients and agent alike' : 'no TLS'}`,
    async start(children, originPort) {
      const port = await freePort();
      const certificate = isTls ? await certificateIn(children) : undefined;
      const files = certificate === undefined ? [] : ['--tls-cert', certificate.cert, '--tls-key', certificate.key];
      const near = startGateway(children, port, files);
      await children.listening(port);
      const gateway = `${isTls ? 'wss' : 'ws'}://127.0.0.1:${port}/connect`;
      const token = await tokenFor('bench', HOST);
      const env = {
        TUNNEL_TOKEN: token,
        ...(certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificate.cert }),
      };
      const args = ['--gateway', gateway, '--target', `http://127.0.0.1:${originPort}`];
      const far = children.start('agent', process.execPath, [...program('agent'), ...args], { env });
      return { url: `${isTls ? 'https' : 'http'}://127.0.0.1:${port}`, near, far };
    },
  };
}

function startGateway(children: Children, port: number, args: readonly string[]): ReturnType<Children['start']> {
  const all = [...program('gateway'), '--port', String(port), '--admin-port', 'none', ...args];
  return children.start('gateway', process.execPath, all, { env: { TUNNEL_SECRET: SECRET } });
}

export function tokenFor(agent: string, route: string): Promise<string> {
  return issueToken({ agent, tenant: 'bench', routes: [route], expires: Date.now() + DAY_MS }, SECRET);
}

export const ours: Subject = {
  ...tunnel('@zishuo/tunnel, ws', false),
  async idle(children, agents) {
    const port = await freePort();
    // Without this the limit of dials would be measured.
    const limits = ['--max-dials-per-second', '1000000', '--max-sessions-per-tenant', '1000000'];
    return {
      async startServer() {
        const server = startGateway(children, port, limits);
        await children.listening(port);
        return { server, count: () => readFileSync(server.log, 'latin1').split('"agent connected"').length - 1 };
      },
      async startAgents() {
        children.startOwn('idle-agents', [`ws://127.0.0.1:${port}/connect`, String(agents)]);
      },
    };
  },
};
export const oursOverTls: Subject = tunnel('@zishuo/tunnel, wss', true);
