// The admin port: whether the gateway lives and whether it is ready.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TunnelGateway } from '../gateway/tunnel-gateway.ts';
import { answerError } from '../http/error-response.ts';
import { Access } from './access.ts';

export interface AdminServerOptions {
  readonly gateway: TunnelGateway;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default 0: any free one. */
  readonly port?: number | undefined;
  /** What acting asks for; and looking, where the address is not a loopback one. */
  readonly token: string;
}

export class AdminServer {
  readonly #server: Server;
  readonly #gateway: TunnelGateway;
  #access: Access | undefined;

  static async listen(options: AdminServerOptions): Promise<AdminServer> {
    const admin = new AdminServer(options.gateway);
    await new Promise<void>((resolve, reject) => {
      admin.#server.once('error', reject);
      admin.#server.listen(options.port ?? 0, options.host ?? '127.0.0.1', () => {
        admin.#server.off('error', reject);
        resolve();
      });
    });
    admin.#access = new Access(options.token, (admin.#server.address() as AddressInfo).address);
    return admin;
  }

  private constructor(gateway: TunnelGateway) {
    this.#gateway = gateway;
    this.#server = createServer((request, response) => this.#serve(request, response));
  }

  get url(): string {
    const { address, port, family } = this.#server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}/`;
  }

  /** Breaks off what is being answered. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#access?.isOurHost(request)) {
      const message = `This port answers for this machine alone, not for "${request.headers.host ?? ''}"`;
      answerError(response, { status: 403, code: 'ERR_TUNNEL_ADMIN_HOST', message });
      return;
    }
    switch (`${request.method} ${request.url}`) {
      case 'GET /healthz':
        answerJson(response, { status: 'alive' });
        return;
      case 'GET /readyz': {
        const { state, reason } = this.#gateway.readiness;
        if (reason === undefined) answerJson(response, { status: state });
        else answerError(response, { status: 503, code: 'ERR_TUNNEL_NOT_READY', message: `${state}: ${reason}` });
        return;
      }
      default:
        answerError(response, { status: 404, code: 'ERR_TUNNEL_ADMIN_NOT_FOUND', message: 'There is nothing here' });
    }
  }
}

function answerJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(`${JSON.stringify(body)}\n`);
}
