// The name of a raw TCP service in tokens and in an agent's allow-list: "tcp:postgres". Never an address: the agent decides the address.

const PREFIX = 'tcp:';

export function tcpService(name: string): string {
  return PREFIX + name;
}

export function isTcpService(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** @throws TypeError for anything but letters, digits, - and _. */
export function checkTcpName(name: string): string {
  if (!/^[\w-]+$/.test(name))
    throw new TypeError(`expected the name of a TCP service to be of letters, digits, - and _, got "${name}"`);
  return name;
}

/** The name in "tcp:<name>". @throws as checkTcpName(). */
export function tcpName(service: string): string {
  return checkTcpName(service.slice(PREFIX.length));
}
