// Describes why a program cannot listen, in one line that names the flag to change.

interface Failure {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
}

/** The flags by which a program was told where to listen. */
export interface ListenFlags {
  readonly host: string;
  /** By the number that was given. */
  readonly ports: ReadonlyMap<number, string>;
}

/** The error itself where it is about something else. */
export function listenFailure(error: unknown, { host, ports }: ListenFlags): unknown {
  const { code = '', syscall, address = '', port = 0, hostname = '' } = (error ?? {}) as Failure;
  const said = why(code, syscall, `${address.includes(':') ? `[${address}]` : address}:${port}`, hostname);
  if (said === undefined) return error;
  const [happened, advice] = said;
  const flag = code === 'EADDRINUSE' || code === 'EACCES' ? (ports.get(port) ?? '--port') : host;
  return Object.assign(new Error(`${happened}: ${advice.replace('%', flag)}`, { cause: error }), { code });
}

function why(code: string, syscall: string | undefined, place: string, hostname: string): [string, string] | undefined {
  if (syscall === 'getaddrinfo') return [`${hostname} has no address`, 'check %'];
  if (syscall !== 'listen' && syscall !== 'bind') return undefined; // 'bind': for a port that workers share
  switch (code) {
    case 'EADDRINUSE':
      return [`${place} is in use`, 'end what listens there, or choose another port by %'];
    case 'EACCES':
      return [
        `may not listen on ${place}`,
        'choose a port from 1024 on by %, or give the process CAP_NET_BIND_SERVICE',
      ];
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return [
        `this machine has no address ${place.replace(/:\d+$/, '')}`,
        'give % one that it has, or 0.0.0.0 for all',
      ];
    default:
      return undefined;
  }
}
