// frp, from the user's release: BENCH_FRPS and BENCH_FRPC name its two programs.
import { execFileSync } from 'node:child_process';
import { freePort } from '../children.ts';
import { HOST, type Subject } from '../subject.ts';

function frp(name: string, isTls: boolean, frps: string, frpc: string): Subject {
  return {
    name,
    version: execFileSync(frps, ['--version'], { encoding: 'utf8' }).trim(),
    note: `frps and frpc, one proxy of type http, their defaults, ${isTls ? 'TLS between the two' : 'no TLS'}`,
    async start(children, originPort) {
      const [bind, http] = [await freePort(), await freePort()];
      const server = children.write(
        'frps.toml',
        `bindAddr = "127.0.0.1"\nbindPort = ${bind}\nvhostHTTPPort = ${http}\n`,
      );
      const client = children.write(
        'frpc.toml',
        `serverAddr = "127.0.0.1"
serverPort = ${bind}
transport.tls.enable = ${isTls}

[[proxies]]
name = "bench"
type = "http"
localIP = "127.0.0.1"
localPort = ${originPort}
customDomains = ["${HOST}"]
`,
      );
      const near = children.start('frps', frps, ['-c', server]);
      await children.listening(bind);
      const far = children.start('frpc', frpc, ['-c', client]);
      return { url: `http://127.0.0.1:${http}`, near, far };
    },
  };
}

const { BENCH_FRPS: frps, BENCH_FRPC: frpc } = process.env;
const isThere = frps !== undefined && frpc !== undefined;
export const frpSubjects: readonly Subject[] = isThere
  ? [frp('frp', false, frps, frpc), frp('frp, TLS', true, frps, frpc)]
  : [];
