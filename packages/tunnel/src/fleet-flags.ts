// The flags for a fleet, and the options that they result in. Each can also be set in the environment: --peer-address is TUNNEL_PEER_ADDRESS.
import { readFileSync } from 'node:fs';
import type { PeerOptions, SessionDirectory } from '@zishuo/yamux-fleet';
import type { TunnelFleetOptions } from './gateway/gateway-fleet.ts';

export const FLEET_HELP = `Many gateways, each of which serves the agents of all; each flag also as TUNNEL_FLEET, TUNNEL_PEER_ADDRESS, …:

  --fleet <url>          the engine where they find each other: redis://host:6379
                         or rediss://user:password@host:6379/0; Redis or Valkey
  --peer-address <host:port>    where the other gateways reach this one, on a
                         port of its own, which is not for clients
  --peer-listen <host:port>     what it listens on for that             (--peer-address)
  --peer-name <name>     what this one is called: no other is, also after a
                         restart; the name in its certificate           (by --peer-address)
  --peer-cert <file>     for TLS between gateways: its certificate, in PEM,
  --peer-key <file>      the private key of that,
  --peer-ca <file>       and who signs the certificates of gateways alone
  --peer-secret <text>   without TLS, on a private network: what all gateways of
                         the fleet share, at least 32 characters
  --fleet-prefix <text>  what the keys of this fleet begin with         (yamux:)

Many processes on one machine, which share its ports and agents:

  --workers <number>     so many; the admin port of each is one above the other's     (1)
`;

export const FLEET_FLAGS = {
  fleet: { type: 'string' },
  'fleet-prefix': { type: 'string' },
  'peer-address': { type: 'string' },
  'peer-listen': { type: 'string' },
  'peer-name': { type: 'string' },
  'peer-cert': { type: 'string' },
  'peer-key': { type: 'string' },
  'peer-ca': { type: 'string' },
  'peer-secret': { type: 'string' },
} as const;

type Flag = keyof typeof FLEET_FLAGS;
type Flags = Readonly<Partial<Record<Flag, string | undefined>>>;

export interface FleetFlags {
  readonly url: string;
  readonly prefix: string | undefined;
  readonly options: Omit<TunnelFleetOptions, 'directory'> & { readonly peers: PeerOptions };
}

const SHORTEST_SECRET = 32;

/**
 * Undefined without --fleet. `worker`: the number of this process among the workers of the machine, from 1.
 * @throws TypeError or RangeError that names the flag.
 */
export function fleetFlags(flags: Flags, env: NodeJS.ProcessEnv, worker: number | undefined): FleetFlags | undefined {
  const given = (flag: Flag): string | undefined =>
    flags[flag] ?? (env[`TUNNEL_${flag.replaceAll('-', '_').toUpperCase()}`] || undefined);
  const url = given('fleet');
  if (url === undefined) {
    const stray = (Object.keys(FLEET_FLAGS) as Flag[]).find((flag) => flags[flag] !== undefined);
    if (stray !== undefined)
      throw new TypeError(`expected --fleet with --${stray}: the engine where gateways find each other`);
    return undefined;
  }
  // The value may be a password, so it is not shown.
  if (!/^rediss?:\/\/[^/]/.test(url) || !URL.canParse(url))
    throw new TypeError('expected --fleet to be a redis: or rediss: URL');
  const address = given('peer-address');
  if (address === undefined)
    throw new TypeError('expected --peer-address host:port with --fleet: where the other gateways reach this one');
  const reached = hostAndPort('peer-address', address);
  const listen = hostAndPort('peer-listen', given('peer-listen') ?? address);
  const offset = worker === undefined ? 0 : worker - 1;
  const way = peersOf(given);
  const name = given('peer-name') ?? (way.tls === undefined ? address : reached.host);
  return {
    url,
    prefix: given('fleet-prefix'),
    options: {
      name: worker === undefined ? name : `${name}-${worker}`,
      address: `${bracketed(reached.host)}:${reached.port + offset}`,
      peers: { listen: { host: listen.host, port: listen.port + offset }, ...way },
    },
  };
}

function peersOf(given: (flag: Flag) => string | undefined): Pick<PeerOptions, 'tls' | 'secret'> {
  const secret = given('peer-secret');
  const files = (['cert', 'key', 'ca'] as const).map((part) => [part, given(`peer-${part}`)] as const);
  if (secret === undefined && files.every(([, file]) => file === undefined)) {
    throw new TypeError(
      'expected --peer-cert, --peer-key and --peer-ca, or --peer-secret, with --fleet: a peer port without either is open to everybody',
    );
  }
  if (secret !== undefined && secret.length < SHORTEST_SECRET) {
    throw new RangeError(`expected --peer-secret to have at least ${SHORTEST_SECRET} characters, got ${secret.length}`);
  }
  if (files.every(([, file]) => file === undefined)) return { secret };
  const [cert = '', key = '', ca = ''] = files.map(([part, file]) => {
    if (file === undefined) throw new TypeError(`expected --peer-${part} beside --peer-cert, --peer-key or --peer-ca`);
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw new TypeError(`expected --peer-${part} to be a file in PEM: ${(error as Error).message}`);
    }
  });
  return { tls: { cert, key, ca }, secret };
}

function hostAndPort(flag: Flag, text: string): { host: string; port: number } {
  const [, inBrackets, plain, digits] = /^(?:\[([\d.:a-f]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = inBrackets ?? plain;
  const port = Number(digits);
  if (host === undefined || port === 0 || port > 65_535) {
    throw new TypeError(`expected --${flag} to be host:port, got "${text}"`);
  }
  return { host, port };
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** The client of the engine is loaded only if it is used. */
export async function engineDirectory({ url, prefix }: FleetFlags): Promise<SessionDirectory> {
  const { redisDirectory } = await import('@zishuo/yamux-fleet/redis');
  return redisDirectory({ url, prefix });
}
