// Normalizes a Host header to a routing key: no port, no trailing dot, lower case. An IPv6 literal keeps its brackets.

export function hostName(header: string | undefined): string {
  const host = (header ?? '').trim().toLowerCase();
  const portAt = host.indexOf(':', host.indexOf(']') + 1);
  const name = portAt === -1 ? host : host.slice(0, portAt);
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

/** Characters: 253 of a name (RFC 1035 §2.3.4), a dot at its end, and a port. */
const MAX_LENGTH = 260;

/**
 * Whether the value is a name or an address, with or without a port. Other values ("a, b", "user@a", "a/b") could be read differently by the server
 * behind.
 */
export function isHost(header: string): boolean {
  return header.length <= MAX_LENGTH && /^(\[[\da-f:.]+\]|[\w~-]+(\.[\w~-]+)*\.?)(:\d*)?$/i.test(header);
}
