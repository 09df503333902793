// acceptUpgrades() in a browser, which serves nobody.
export type { UpgradeAcceptor } from '../upgrade.ts';

export function acceptUpgrades(): never {
  throw new TypeError('acceptUpgrades() needs an HTTP server, and a browser has none: call it in Node');
}
