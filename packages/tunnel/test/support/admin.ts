// The admin port of a gateway of the test, and requests to it.
import { onTestFinished } from 'vitest';
import { AdminServer } from '../../src/admin/admin-server.ts';
import { type Answer, type Ask, ask } from './http.ts';
import type { Gateway } from './tunnel.ts';

const ADMIN_TOKEN = 'the-token-of-this-test';

export interface Admin {
  readonly server: AdminServer;
  readonly port: number;
  readonly token: string;
  readonly authorization: string[];
  /** With the token, as the gateway prints it. */
  readonly dashboard: string;
  /** To 127.0.0.1, by that name. */
  ask(path: string, options?: Partial<Ask>): Promise<Answer>;
}

export async function startAdmin({ gateway }: Gateway): Promise<Admin> {
  const server = await AdminServer.listen({ gateway, token: ADMIN_TOKEN });
  onTestFinished(() => server.close());
  const port = Number(new URL(server.url).port);
  return {
    server,
    port,
    token: ADMIN_TOKEN,
    authorization: ['Authorization', `Bearer ${ADMIN_TOKEN}`],
    dashboard: `${server.url}#token=${ADMIN_TOKEN}`,
    ask: (path, options) => ask({ port, path, host: `127.0.0.1:${port}`, ...options }),
  };
}

/** The code of an error answer. */
export function codeOf({ body }: Answer): unknown {
  return (JSON.parse(body) as { error: { code: unknown } }).error.code;
}
